"""Rows a second of a training-data export, beside a bare server-side cursor over the same runs.

    python benchmarks/dataset_export.py [--runs 4000] [--rounds 3] [--json]

On a fresh embedded server. All runs ended on one day, each with a step and a log of twenty lines in the object store.
The best of a few rounds, in which everything takes its turn:

- `bare cursor`: the export's query through a server-side cursor of the same role, each row written as JSON as it comes:
  what anybody pays who wants these rows.
- `jsonl, validated`, `parquet, validated`: the rows as the schema has them, validated, labelled, each once, as files;
  neither logs nor scrubbing.
- `with logs`: as the first of these, with the logs from the object store.
- `export`: all of it: scrubbed, flushed, under a signed manifest; `export, embedded` with vectors from the cache.
- `table cursor`: nothing but the runs' own columns, for comparison.

The ratios are times of the clock: how much longer something takes than the bare cursor. Beside them stands what this
process computes for a row, which says more on a busy machine; what the server computes is the same for all but the
first. Scrubbing is what a whole export computes beyond `with logs`, the signing and flushing included.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fakes.embedders import DigestEmbedder
from tests.fakes.past_runs import Archive, ordinary
from tests.fakes.people import log_in
from tests.fakes.yard import Yard, manifest

from atomctl.access.model import Actor, Role
from atomctl.audit.keys import create_key
from atomctl.audit.sequencer import Sequencer
from atomctl.dataset import stages
from atomctl.dataset.excerpt import SIDE
from atomctl.dataset.model import Format, Order, Row
from atomctl.dataset.reading import RunReader, midnight
from atomctl.dataset.scrub.policy import ScrubPolicy
from atomctl.dataset.scrub.scrubber import Scrubber
from atomctl.dataset.service import Means, export_dataset
from atomctl.dataset.writers import BATCH, open_writer
from atomctl.db import queries
from atomctl.db.address import AdminLogin
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.migrate import migrate
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore

DAY = date(2026, 7, 1)
SPEC = "handlers:\n  - {name: work, type: shell, config: {command: [echo, hello]}}"
TABLE = "SELECT * FROM atom.workflow_runs WHERE tenant_id = %(tenant_id)s ORDER BY ended_at, id"
QUERY = queries.load(sys.modules[RunReader.__module__].__file__ or "").runs_of_day.sql


class Unscrubbed(Scrubber):
    """Leaves rows as they are, to see what scrubbing costs."""

    def row(self, row: Row) -> Row:
        """The row."""
        return row


@dataclass
class Bench:
    """A tenant with a day of runs, and a folder for what is written."""

    yard: Yard
    means: Means
    auditor: Actor
    folder: Path
    runs: int
    _names: Iterator[int] = field(default_factory=itertools.count)

    def fresh(self) -> Path:
        """A path where nothing is."""
        return self.folder / str(next(self._names))

    def cursor(self, query: str) -> int:
        """Rows of the query, written as they come."""
        rows = 0
        given = {"tenant_id": self.yard.tenant_id, "start": midnight(DAY), "watermark": 10**9, "side": SIDE}
        given["end"] = midnight(DAY + timedelta(days=1))
        with (
            self.fresh().open("wb") as stream,
            self.yard.sessions.tenant(self.yard.tenant_id) as conn,
            conn.cursor(name="bare") as cursor,
        ):
            cursor.itersize = 500
            cursor.execute(query, given)
            for row in cursor:
                stream.write(json.dumps(row, default=str).encode() + b"\n")
                rows += 1
        return rows

    def validated(self, format_: Format, *, logs: bool) -> int:
        """Rows as the schema has them, written."""
        tally = stages.Tally()
        reader = RunReader(self.yard.sessions, self.yard.objects, self.yard.tenant_id)
        with self.fresh().open("wb") as stream, reader.day(DAY, 10**9, logs=logs) as source:
            writer = open_writer(format_, stream)
            rows = stages.scrubbed_rows(
                source.records, source.sources, source.trailing, Unscrubbed(ScrubPolicy(bytes(32))), tally
            )
            for batch in stages.in_batches(stages.finished_rows(rows, None, tally), BATCH):
                writer.write(batch)
            writer.close()
        return tally.rows

    def export(self, *formats: Format, embedded: bool = False) -> int:
        """Rows of a whole export."""
        order = Order(tenant_id=self.yard.tenant_id, since=DAY, formats=formats)
        embedder = DigestEmbedder(dimension=384) if embedded else None
        return export_dataset(self.means, self.auditor, order, self.fresh(), embedder=embedder).exported.manifest.rows

    def works(self) -> dict[str, Callable[[], int]]:
        """Everything that is measured, by its name."""
        return {
            "table cursor": lambda: self.cursor(TABLE),
            "bare cursor": lambda: self.cursor(QUERY),
            "jsonl, validated": lambda: self.validated(Format.JSONL, logs=False),
            "parquet, validated": lambda: self.validated(Format.PARQUET, logs=False),
            "with logs": lambda: self.validated(Format.JSONL, logs=True),
            "export": lambda: self.export(Format.JSONL),
            "export, parquet": lambda: self.export(Format.PARQUET),
            "export, embedded": lambda: self.export(Format.JSONL, embedded=True),
        }


def seconds(work: Callable[[], int], runs: int) -> tuple[float, float]:
    """Of the clock and of this process's processor, the server's not included."""
    start, busy = time.perf_counter(), time.process_time()
    rows = work()
    taken, spent = time.perf_counter() - start, time.process_time() - busy
    assert rows == runs, f"{rows} rows of {runs} runs"
    return taken, spent


def measure(bench: Bench, rounds: int) -> dict[str, Any]:
    works = bench.works()
    for work in works.values():
        work()  # imports, caches, the vectors
    times = [{name: seconds(work, bench.runs) for name, work in works.items()} for _ in range(rounds)]
    best = {name: min(each[name][0] for each in times) for name in works}
    spent = {name: min(each[name][1] for each in times) for name in works}
    return {
        "runs": bench.runs,
        "rows_per_second": {name: round(bench.runs / taken) for name, taken in best.items()},
        "ratios": {name: round(taken / best["bare cursor"], 2) for name, taken in best.items()},
        "processor_us": {name: round(busy / bench.runs * 1e6) for name, busy in spent.items()},
        "scrubbing_us": round((spent["export"] - spent["with logs"]) / bench.runs * 1e6),
    }


@contextmanager
def prepared(folder: Path, runs: int) -> Iterator[Bench]:
    server = EmbeddedPostgres(folder / "home")
    with server as address:
        migrate(address, server.admin)
        key = create_key(folder / "keys" / "audit.key")
        sequencer = Sequencer(address.dsn(DatabaseRole.SEQUENCER), key)
        with Sessions(address, min_size=0) as sessions:
            means = Means(sessions, FolderStore(folder / "objects"), key, bytes(32))
            tenant = new_id()
            with sessions.tenant(tenant) as conn:
                conn.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'bench')", (tenant,))
            yard = Yard(sessions, tenant, FolderStore(folder / "objects"))
            archive = Archive(yard, yard.publish(manifest(SPEC)))
            archive.add(*ordinary(runs, every=timedelta(seconds=60_000 / runs)))
            while sequencer.drain_once():
                pass
            vacuum(server.admin)
            out = folder / "out"
            out.mkdir()
            yield Bench(yard, means, log_in(sessions, tenant, "ute", Role.AUDITOR), out, runs)


def vacuum(admin: AdminLogin) -> None:
    """What the server does by itself within minutes."""
    with admin.connect() as connection:
        connection.execute("VACUUM ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atom-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with prepared(folder, given.runs) as bench:
            found = measure(bench, given.rounds)
    if given.json:
        print(json.dumps(found))
        return
    for name, rate in found["rows_per_second"].items():
        ratio, busy = found["ratios"][name], found["processor_us"][name]
        print(f"{name:20} {rate:>8,} rows/s  {ratio:>6} x the bare cursor's time  {busy:>5} us of processor a row")
    print(f"scrubbing takes {found['scrubbing_us']} microseconds of processor a row")


if __name__ == "__main__":
    main()
