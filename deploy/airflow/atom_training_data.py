"""Exports finished runs as training data: one task for each day that is not exported as it is now.

For Airflow 3. The first task asks `atomctl dataset partitions --due` which days there are, the second is mapped over
them and calls `atomctl dataset export --partition DAY` for each. A day that cannot be exported fails its own task and
no other. What was exported already is not listed, and a task that runs again goes on where it was interrupted, so
nothing is repeated by a retry, a cleared task or another run of this DAG.

`atomctl` is called as a program, since it has an environment of its own. What it needs is in the environment of the
Airflow worker: `ATOM_HOME`, `ATOM_TOKEN_FILE`, and where PostgreSQL is another machine's `ATOM_DATABASE_URL` and
`ATOM_DATABASE_CREDENTIALS`. See docs/how-to/airflow.md.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import Param, dag, get_current_context, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException

ATOMCTL = os.environ.get("ATOM_ATOMCTL", "atomctl")
ROOT = os.environ.get("ATOM_DATASET_ROOT", "/var/lib/atom-training-data")
SINCE = os.environ.get("ATOM_DATASET_SINCE", "2026-01-01")
RETRY_AFTER = timedelta(seconds=float(os.environ.get("ATOM_DATASET_RETRY_SECONDS", "300")))

BATCH = 500
"""Days in one run of the DAG, the oldest first; the next run takes those behind them."""
AT_ONCE = 4
"""Exports side by side: each reads its day through two connections to the database."""

MAY_PASS = frozenset({3, 5, 130})
"""Exit codes of what may go well later: a service is away, another process has the folder, it was interrupted."""

_log = logging.getLogger("airflow.task")


def call(*arguments: str) -> dict[str, Any]:
    """The document that an `atomctl` command prints; what it says beside it goes to the task's log.

    Raises:
        AirflowException: it may go well later.
        AirflowFailException: trying again would not help.
    """
    command = [ATOMCTL, *arguments, "-o", "json"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    _log.info("%s: %s", " ".join(command), done.stderr.strip())
    if done.returncode == 0:
        document: dict[str, Any] = json.loads(done.stdout)
        return document
    why = f"exit code {done.returncode} of {' '.join(command)}: {done.stderr.strip()[-2000:]}"
    if done.returncode < 0 or done.returncode in MAY_PASS:
        raise AirflowException(why)
    raise AirflowFailException(why)


@dag(
    dag_id="atom_training_data",
    schedule="@daily",
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 3, "retry_delay": RETRY_AFTER},
    params={
        "since": Param(SINCE, type="string", format="date", description="The first day (UTC) on which runs ended."),
        "root": Param(ROOT, type="string", minLength=1, description="The folder with one folder for each day."),
        "formats": Param("jsonl", enum=["jsonl", "parquet", "jsonl,parquet"], description="What is written."),
    },
    tags=["atom"],
    doc_md=__doc__,
)
def training_data() -> None:
    """The DAG."""

    @task(execution_timeout=timedelta(minutes=10))
    def due() -> list[str]:
        """The days to export, the oldest first, at most `BATCH`."""
        params = get_current_context()["params"]
        found = call("dataset", "partitions", "--since", params["since"], "--in", params["root"], "--due")["items"]
        days = [date.fromisoformat(each["day"]).isoformat() for each in found]
        if len(days) > BATCH:
            _log.info("%d days are due; those from %s on are left to the next run", len(days), days[BATCH])
        return days[:BATCH]

    @task(
        map_index_template="{{ task.op_kwargs['day'] }}",
        max_active_tis_per_dagrun=AT_ONCE,
        execution_timeout=timedelta(hours=6),
    )
    def export(day: str) -> dict[str, Any]:
        """Exports one day into a folder of its own; what the manifest says of it."""
        params = get_current_context()["params"]
        out = Path(params["root"]) / day
        out.parent.mkdir(parents=True, exist_ok=True)
        what = ("--partition", day, "--format", params["formats"])
        done = call("dataset", "export", *what, "--out", str(out), "--refresh")
        return {name: done[name] for name in ("name", "rows", "kept", "watermark", "digest")}

    export.expand(day=due())


training_data()
