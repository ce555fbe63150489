"""Audit records a second through inbox and sequencer, and leaves a second verified offline.

    python benchmarks/audit_throughput.py [--records 40000] [--writers 2] [--rows 20] [--json]

On a fresh embedded server with its disk flushed as in production. Writers are processes of their own; each transaction
records `rows` entries. In one run:

- `bare insert`: the same bytes into a table without checks, keys or row level security: the baseline of writing.
- `record`: the same through `audit.record`, nobody reading.
- `sequence`: one sequencer working off what `record` left.
- `record + sequence`: both at once; the time ends when the last record is in the log. Lag is from the making of an
  entry's id to the time of its leaf.
- `plain sha256`: one hash for each leaf of the exported log: the baseline of verifying.
- `verify offline`: `audit.verify.verify_bundle` over the same log.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import UUID

from atomctl.audit.export import export_bundle
from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.log import waiting
from atomctl.audit.model import Entry, entry_bytes
from atomctl.audit.record import record
from atomctl.audit.sequencer import Sequencer
from atomctl.audit.verdict import Outcome
from atomctl.audit.verify import verify_bundle
from atomctl.canonical import digest, sha256
from atomctl.db.address import DatabaseAddress
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.migrate import migrate
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions

RUN = new_id()
ENTRY = Entry(
    action="run.step",
    subject=f"run/{RUN}",
    actor=new_id(),
    digests={"package": digest(b"package"), "plan": digest(b"plan")},
    detail={"step": "restart", "attempt": 1, "outcome": "succeeded"},
)
LAG = """
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY lag) AS lags FROM (
    SELECT extract(epoch FROM sequenced_at) * 1000
           - ('x' || lpad(left(replace(entry_id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint AS lag
    FROM atom.audit_entries WHERE tenant_id = %s AND entry_index >= %s AND run_id IS NOT NULL
) AS lags
"""


def write_bare(connection: Connection, tenant_id: UUID) -> None:
    entry_id = new_id()
    data = entry_bytes(ENTRY, entry_id=entry_id, tenant_id=tenant_id, commitments={})
    connection.execute("INSERT INTO public.bare VALUES (%s, %s, %s)", (tenant_id, entry_id, data))


def write_entry(connection: Connection, tenant_id: UUID) -> None:
    record(connection, tenant_id, ENTRY)


def _writer(
    address: DatabaseAddress, tenant_id: UUID, write: Callable[[Connection, UUID], None], batches: int, rows: int
) -> None:
    with Sessions(address, DatabaseRole.APP, max_size=1) as sessions:
        for _ in range(batches):
            with sessions.tenant(tenant_id) as connection:
                for _ in range(rows):
                    write(connection, tenant_id)


class Bench:
    """A fresh server with a tenant, and the sizes of this run."""

    def __init__(self, folder: Path, address: DatabaseAddress, sessions: Sessions, given: argparse.Namespace) -> None:
        self.folder, self.address, self.sessions = folder, address, sessions
        self.batches = max(1, given.records // (given.writers * given.rows))
        self.writers, self.rows = given.writers, given.rows
        self.records = self.batches * self.writers * self.rows
        self.tenant = new_id()
        self.key: FileKey = create_key(folder / "audit.key")
        with sessions.tenant(self.tenant) as connection:
            connection.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'bench')", (self.tenant,))

    def new_sequencer(self) -> Sequencer:
        """A sequencer of this server's log."""
        return Sequencer(self.address.dsn(DatabaseRole.SEQUENCER), self.key)

    def write(self, write: Callable[[Connection, UUID], None]) -> None:
        """Runs the writers to their end."""
        target = partial(_writer, self.address, self.tenant, write, self.batches, self.rows)
        processes = [multiprocessing.get_context("fork").Process(target=target) for _ in range(self.writers)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
            assert process.exitcode == 0, "a writer failed"

    def until_empty(self) -> None:
        """Returns when everything recorded is in the log."""
        left = 1
        while left:
            with self.sessions.tenant(self.tenant) as connection:
                left = waiting(connection, self.tenant)

    @contextmanager
    def sequencing(self) -> Iterator[None]:
        """A sequencer runs while this is open."""
        stop = threading.Event()
        thread = threading.Thread(target=self.new_sequencer().run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def _seconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    start = clock()
    work()
    return clock() - start


def _both(bench: Bench) -> dict[str, float]:
    with bench.sessions.tenant(bench.tenant) as connection:
        row = connection.execute("SELECT max(entry_index) + 1 AS first FROM atom.audit_entries").fetchone()
        first = row["first"] if row else 0
    with bench.sequencing():
        start = time.perf_counter()
        bench.write(write_entry)
        bench.until_empty()
        seconds = time.perf_counter() - start
    with bench.sessions.tenant(bench.tenant) as connection:
        (found,) = connection.execute(LAG, (bench.tenant, first)).fetchall()
    return {
        "per_second": round(bench.records / seconds),
        "lag_p50_ms": round(found["lags"][0], 1),
        "lag_p99_ms": round(found["lags"][1], 1),
    }


def _verification(bench: Bench) -> dict[str, dict[str, float]]:
    path = bench.folder / "log.atomaudit"
    with bench.sessions.tenant(bench.tenant) as connection, path.open("wb") as out:
        entries = export_bundle(connection, bench.tenant, out=out).entries
    lines = path.read_bytes().splitlines()[1:]

    def verify() -> None:
        assert verify_bundle(path, trusted=[bench.key.vkey]).outcome is Outcome.VERIFIED

    def hash_only() -> None:
        for line in lines:
            sha256(line)

    # Process time, the best of rounds that take turns: other load on the machine stays out of the comparison.
    turns = [(_seconds(hash_only, time.process_time), _seconds(verify, time.process_time)) for _ in range(5)]
    return {
        "plain sha256": {"per_second": round(entries / min(turn[0] for turn in turns))},
        "verify offline": {"per_second": round(entries / min(turn[1] for turn in turns))},
    }


def measure(given: argparse.Namespace) -> dict[str, dict[str, float]]:
    with tempfile.TemporaryDirectory(prefix="atomctl-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = EmbeddedPostgres(folder / "home")
        with server as address:
            migrate(address, server.admin)
            with server.admin.connect() as admin:
                admin.execute("CREATE TABLE public.bare (tenant_id uuid, entry_id uuid, data bytea)")
                admin.execute("GRANT INSERT ON public.bare TO atom_app; GRANT USAGE ON SCHEMA public TO atom_app")
            with Sessions(address, DatabaseRole.APP) as sessions:
                bench = Bench(folder, address, sessions, given)
                results: dict[str, dict[str, float]] = {}
                for title, write in (("bare insert", write_bare), ("record", write_entry)):
                    seconds = _seconds(partial(bench.write, write))
                    results[title] = {"per_second": round(bench.records / seconds)}
                seconds = _seconds(bench.new_sequencer().drain_once)
                results["sequence"] = {"per_second": round(bench.records / seconds)}
                results["record + sequence"] = _both(bench)
                return {**results, **_verification(bench)}


def _table(results: dict[str, dict[str, float]]) -> None:
    print(f"\n{'':<20}{'per second':>12}{'of baseline':>13}{'lag p50 ms':>12}{'lag p99 ms':>12}")
    for name, found in results.items():
        base = results["plain sha256" if name in {"plain sha256", "verify offline"} else "bare insert"]
        lags = "".join(f"{found[key]:>12}" for key in ("lag_p50_ms", "lag_p99_ms") if key in found)
        print(f"{name:<20}{found['per_second']:>12,}{found['per_second'] / base['per_second']:>13.0%}{lags}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=40_000, help="records of each measurement")
    parser.add_argument("--writers", type=int, default=2, help="processes that record")
    parser.add_argument("--rows", type=int, default=20, help="records in a transaction")
    parser.add_argument("--json", action="store_true", help="only the JSON")
    given = parser.parse_args()
    results = measure(given)
    print(json.dumps({"schema": "atom.benchmark/v1", "benchmark": "audit_throughput", "results": results}))
    if not given.json:
        _table(results)


if __name__ == "__main__":
    main()
