"""Rows a second of a training-data export, beside a bare server-side cursor over the same runs.

    python benchmarks/dataset_export.py [--runs 4000] [--json]

On a fresh embedded server. All runs ended on one day, each with a step and a log of twenty lines in the object store.
In one run:

- `bare cursor`: the runs' own columns through a server-side cursor of the same role, each row written as JSON: what any
  export pays.
- `query`: the export's query alone, with steps, places in the audit log and chunks of the log.
- `jsonl`, `jsonl + parquet`: whole exports: logs read, rows validated, scrubbed, labelled, hashed, files flushed.

`ratio` is the time of `jsonl` over that of `bare cursor`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fakes.past_runs import Archive, ordinary
from tests.fakes.people import log_in
from tests.fakes.yard import Yard, manifest

from atomctl.access.model import Role
from atomctl.audit.keys import create_key
from atomctl.audit.sequencer import Sequencer
from atomctl.dataset.model import Format, Order
from atomctl.dataset.reading import RunReader
from atomctl.dataset.service import Means, export_dataset
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.migrate import migrate
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore

DAY = date(2026, 7, 1)
SPEC = "handlers:\n  - {name: work, type: shell, config: {command: [echo, hello]}}"
BARE = "SELECT * FROM atom.workflow_runs WHERE tenant_id = %s ORDER BY ended_at, id"


def seconds(work: Callable[[], int], runs: int) -> float:
    start = time.perf_counter()
    rows = work()
    taken = time.perf_counter() - start
    assert rows == runs, f"{rows} rows of {runs} runs"
    return taken


def bare_cursor(yard: Yard, out: Path) -> int:
    rows = 0
    with out.open("wb") as stream, yard.sessions.tenant(yard.tenant_id) as conn, conn.cursor(name="bare") as cursor:
        cursor.itersize = 500
        cursor.execute(BARE, (yard.tenant_id,))
        for row in cursor:
            stream.write(json.dumps(row, default=str).encode() + b"\n")
            rows += 1
    return rows


def query(yard: Yard) -> int:
    reader = RunReader(yard.sessions, yard.objects, yard.tenant_id)
    with reader.day(DAY, 10**9) as source:
        return sum(1 for _ in source.records)


def measure(folder: Path, sessions: Sessions, sequencer: Sequencer, means: Means, runs: int) -> dict[str, Any]:
    tenant = new_id()
    with sessions.tenant(tenant) as conn:
        conn.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'bench')", (tenant,))
    assert isinstance(means.objects, FolderStore)
    yard = Yard(sessions, tenant, means.objects)
    Archive(yard, yard.publish(manifest(SPEC))).add(*ordinary(runs, every=timedelta(seconds=60_000 / runs)))
    while sequencer.drain_once():
        pass
    auditor = log_in(sessions, tenant, "ute", Role.AUDITOR)

    def export(name: str, *formats: Format) -> int:
        order = Order(tenant_id=tenant, since=DAY, formats=formats)
        return export_dataset(means, auditor, order, folder / name).exported.manifest.rows

    bare_cursor(yard, folder / "warm.jsonl")
    times = {
        "bare cursor": seconds(lambda: bare_cursor(yard, folder / "bare.jsonl"), runs),
        "query": seconds(lambda: query(yard), runs),
        "jsonl": seconds(lambda: export("jsonl", Format.JSONL), runs),
        "jsonl + parquet": seconds(lambda: export("both", *Format), runs),
    }
    return {
        "runs": runs,
        "rows_per_second": {name: round(runs / taken) for name, taken in times.items()},
        "ratio": round(times["jsonl"] / times["bare cursor"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atom-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = EmbeddedPostgres(folder / "home")
        with server as address:
            migrate(address, server.admin)
            key = create_key(folder / "keys" / "audit.key")
            sequencer = Sequencer(address.dsn(DatabaseRole.SEQUENCER), key)
            with Sessions(address, min_size=0) as sessions:
                means = Means(sessions, FolderStore(folder / "objects"), key, bytes(32))
                found = measure(folder, sessions, sequencer, means, given.runs)
    if given.json:
        print(json.dumps(found))
        return
    for name, rate in found["rows_per_second"].items():
        print(f"{name:16} {rate:>8,} rows/s")
    print(f"ratio jsonl : bare cursor = {found['ratio']} : 1")


if __name__ == "__main__":
    main()
