"""How many runs a second one worker finishes, and what a step costs beyond its own work, next to an empty engine.

    python benchmarks/runs_per_second.py [--runs 100] [--steps 3] [--long 20] [--json]

Everything is real: an embedded PostgreSQL with its safe settings (fsync on), signed packages, the whole step protocol,
the audit entries. Four measurements on the same machine, one after another:

    empty engine      engine workflows with the same number of durable steps that do nothing: the baseline
    run, no-op steps  whole runs whose steps return at once: what ATOM adds (verification, intent, result, audit)
    run, `true`       whole runs whose steps start /bin/true under the supervisor, in the sandbox if there is one

`runs/s` is over a batch that is queued at once; `step ms` is the time of one long run alone, divided by its steps.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.fakes.yard import Yard, manifest, until, working

from atomctl.db.address import DatabaseAddress
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.migrate import migrate
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore
from atomctl.runs.context import StepRunner
from atomctl.runs.engine import DbosEngine
from atomctl.runs.interpreter import Durable
from atomctl.runs.isolation import IsolationPolicy
from atomctl.runs.model import RunState, SegmentKey
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.model import IsolationLevel, LogSink, Outcome, StepRequest, StepResult
from atomctl.runs.steps.probe import prepare_site
from atomctl.telemetry.logs import configure
from atomctl.worker import WorkerOptions

POLL = 0.1
SLOTS = 8


class _AtOnce:
    """Steps that have succeeded before they began."""

    def __call__(self, request: StepRequest, sink: LogSink, cancelled: threading.Event) -> StepResult:  # noqa: ARG002
        now = datetime.now(UTC)
        return StepResult(outcome=Outcome.SUCCEEDED, started=now, ended=now, isolation=IsolationLevel.NOT_NEEDED)

    def recorded(self, attempt_id: UUID) -> StepResult | None:  # noqa: ARG002
        return None


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is measured: `runs` runs of `steps` steps at once, and one run of `long` steps alone."""

    runs: int
    steps: int
    long: int


def empty_engine(address: DatabaseAddress, sizes: Sizes) -> dict[str, float]:
    """The same numbers for engine workflows whose steps do nothing."""
    runs, steps, long = sizes.runs, sizes.steps, sizes.long
    begun: dict[int, float] = {}
    done: dict[int, float] = {}

    def run(segment: SegmentKey, durable: Durable) -> None:
        begun[segment.number] = time.perf_counter()
        for index in range(long if segment.number > runs else steps):
            durable.step(f"step-{index}", lambda: None)
        done[segment.number] = time.perf_counter()

    engine = DbosEngine(address, new_id(), run, slots=SLOTS, poll=POLL)
    engine.start()
    run_id = new_id()
    started = time.perf_counter()
    for number in range(1, runs + 1):
        engine.submit(SegmentKey(run_id, run_id, number))
    until(lambda: len(done), lambda ended: ended == runs, 600)
    rate = runs / (max(done.values()) - started)
    for number in range(runs + 1, runs + 4):
        engine.submit(SegmentKey(run_id, run_id, number))
        until(lambda: max(done), number.__eq__, 600)
    engine.stop()
    laps = [(done[number] - begun[number]) * 1000 / long for number in range(runs + 1, runs + 4)]
    return {"runs_per_second": round(rate, 1), "step_ms": round(statistics.median(laps), 2)}


def whole_runs(
    address: DatabaseAddress, yard: Yard, runner: StepRunner, scratch: Path, sizes: Sizes
) -> dict[str, float]:
    """The numbers for runs of ATOM."""
    runs, steps, long = sizes.runs, sizes.steps, sizes.long
    name = type(runner).__name__.strip("_").lower()
    lines = "\n".join(
        f"  - {{name: s{n}, type: shell, idempotency: safe, config: {{command: [/bin/true]}}}}" for n in range(long)
    )
    short = "\n".join(lines.splitlines()[:steps])
    batch = yard.publish(manifest(f"handlers:\n{short}", name=f"batch-{name}"))
    alone = yard.publish(manifest(f"handlers:\n{lines}", name=f"alone-{name}"))
    queued = [yard.start(batch) for _ in range(runs)]
    with working(address, yard, runner, scratch, WorkerOptions(slots=SLOTS, poll=POLL)):
        for run in queued:
            assert yard.wait(run, timeout=600).state is RunState.SUCCEEDED
        ended = [yard.get(run) for run in queued]
        first = min(run.started_at for run in ended if run.started_at)
        last = max(run.ended_at for run in ended if run.ended_at)
        laps = []
        for _ in range(3):
            run = yard.wait(yard.start(alone), timeout=600)
            assert run.started_at is not None
            assert run.ended_at is not None
            laps.append((run.ended_at - run.started_at).total_seconds() * 1000 / long)
    return {
        "runs_per_second": round(runs / (last - first).total_seconds(), 1),
        "step_ms": round(statistics.median(laps), 2),
    }


def measure(sizes: Sizes) -> dict[str, dict[str, float]]:
    """All measurements, each on the same fresh server."""
    with tempfile.TemporaryDirectory(prefix="atomctl-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        server = EmbeddedPostgres(folder / "home")
        with server as address:
            migrate(address, server.admin)
            results = {"empty engine": empty_engine(address, sizes)}
            with Sessions(address, DatabaseRole.APP, name="benchmark") as sessions:
                tenant_id = new_id()
                with sessions.tenant(tenant_id) as conn:
                    conn.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'bench')", (tenant_id,))
                yard = Yard(sessions, tenant_id, FolderStore(folder / "objects"))
                real = StepExecutor(prepare_site(folder / "scratch", IsolationPolicy.PREFERRED))
                for title, runner in (("run, no-op steps", _AtOnce()), ("run, `true`", real)):
                    results[title] = whole_runs(address, yard, runner, folder / "scratch", sizes)
        return results


def _table(results: dict[str, dict[str, float]], say: Callable[[str], None]) -> None:
    base = results["empty engine"]
    say(f"{'':<18} {'runs/s':>8} {'of empty':>9} {'step ms':>9} {'added ms':>9}")
    for name, found in results.items():
        share = found["runs_per_second"] / base["runs_per_second"]
        added = found["step_ms"] - base["step_ms"]
        say(f"{name:<18} {found['runs_per_second']:>8} {share:>8.0%} {found['step_ms']:>9} {added:>9.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=100, help="runs in the batch")
    parser.add_argument("--steps", type=int, default=3, help="steps of each of them")
    parser.add_argument("--long", type=int, default=20, help="steps of the run that is measured alone")
    parser.add_argument("--json", action="store_true", help="only the JSON")
    given = parser.parse_args()
    configure("error", json=False)
    results = measure(Sizes(given.runs, given.steps, given.long))
    print(json.dumps({"schema": "atom.benchmark/v1", "benchmark": "runs_per_second", "results": results}))
    if not given.json:
        _table(results, print)


if __name__ == "__main__":
    main()
