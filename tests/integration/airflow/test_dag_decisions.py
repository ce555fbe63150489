"""What the DAG decides, asked of it inside Airflow's own environment, without running it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.servers.airflow import DAGS
from tests.servers.requirement import require
from tools import airflow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# Prints what each case came to. `atomctl` is a script that answers as the case says.
ASK = """
import json, sys
import atom_training_data as module
from airflow.sdk.exceptions import AirflowFailException

def outcome(function):
    try:
        return function()
    except AirflowFailException:
        return "fails at once"
    except Exception as error:
        return "tries again" if type(error).__name__ == "AirflowException" else type(error).__name__

module.get_current_context = lambda: {"params": {"since": "2026-01-01", "root": sys.argv[1], "formats": "jsonl"}}
dag = module.training_data()
due, export = dag.get_task("due").python_callable, dag.get_task("export")
print(json.dumps({
    "tasks": sorted(dag.task_ids),
    "runs at once": dag.max_active_runs,
    "days at once": export.max_active_tis_per_dagrun,
    "due": outcome(due),
    "export": outcome(lambda: export.python_callable("2026-01-01")),
}))
"""


def ask(folder: Path, script: str) -> dict[str, Any]:
    """The DAG's answers where `atomctl` is this shell script."""
    require(airflow.is_there(), "Airflow, which runs the DAG under deploy/airflow", "make airflow")
    atomctl = folder / "atomctl"
    atomctl.write_text(f"#!/bin/sh\n{script}\n")
    atomctl.chmod(0o755)
    home = folder / "airflow"
    home.mkdir()
    done = subprocess.run(
        [airflow.folder() / "bin" / "python", "-c", ASK, str(folder / "training")],
        env={**airflow.environment(home), "PYTHONPATH": str(DAGS), "ATOM_ATOMCTL": str(atomctl)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_backlog_is_cut_into_batches_and_an_export_takes_one_day_as_a_list_of_arguments(tmp_path: Path) -> None:
    days = [f"20{year}-{month:02}-{day:02}" for year in (24, 25) for month in range(1, 13) for day in range(1, 29)]
    (tmp_path / "days.json").write_text(json.dumps({"items": [{"day": day} for day in days]}))
    exported = {"name": "x", "rows": 1, "kept": 0, "watermark": 7, "digest": "sha256:0", "more": "is not kept"}
    script = f"""
echo "$*" >> {tmp_path}/calls
case "$2" in partitions) cat {tmp_path}/days.json ;; *) echo '{json.dumps(exported)}' ;; esac"""
    found = ask(tmp_path, script)
    assert (found["tasks"], found["runs at once"], found["days at once"]) == (["due", "export"], 1, 4)
    assert found["due"] == days[:500]
    assert found["export"] == {key: value for key, value in exported.items() if key != "more"}
    assert (tmp_path / "calls").read_text().splitlines() == [
        f"dataset partitions --since 2026-01-01 --in {tmp_path}/training --due -o json",
        f"dataset export --partition 2026-01-01 --format jsonl --out {tmp_path}/training/2026-01-01 --refresh -o json",
    ]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ("exit 3", "tries again"),
        ("kill -9 $$", "tries again"),
        ("exit 12", "fails at once"),
        ("""echo '{"items": [{"day": "../../etc"}]}'""", "ValueError"),
    ],
    ids=["a service is away", "killed", "tampered", "a day that is none"],
)
def test_what_may_pass_is_tried_again_and_nothing_else(tmp_path: Path, script: str, outcome: str) -> None:
    assert ask(tmp_path, script)["due"] == outcome
