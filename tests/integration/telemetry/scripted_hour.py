"""An hour of load as one process of ATOM shows it to Prometheus, a sample every half a minute, in OpenMetrics.

The figures are made by the product's own counting and reading code and printed as it renders them; the load itself is
scripted: no workflow runs. `python -m tests.integration.telemetry.scripted_hour PROCESS END` prints the hour that ends
at END (Unix seconds). Each process is one of Python's, too, since a process has one set of metrics.
"""

from __future__ import annotations

import math
import random
import re
import sys
from collections.abc import Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from atomctl.telemetry import catalog, metrics
from atomctl.telemetry.catalog import Metric
from atomctl.telemetry.readings import Reading, StoredMetrics

HOUR, EVERY = 3600, 30
PROCESSES = ("server", "worker-1", "worker-2")
_SAMPLE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)")


def serve(chance: random.Random) -> None:
    """What an API server counts within half a minute."""
    for noun in ("packages", "runs", "approvals", "trust", "validate", "workflows"):
        for _ in range(chance.randint(2, 20)):
            status = chance.choices(("2xx", "4xx", "5xx"), (95, 4, 1))[0]
            metrics.increment(catalog.HTTP_REQUESTS, method="GET", noun=noun, status=status)
            metrics.observe(catalog.HTTP_SECONDS, chance.expovariate(20), noun=noun)
    verdict = chance.choices(("accepted", "unsigned", "untrusted", "tampered"), (90, 6, 3, 1))[0]
    metrics.increment(catalog.PUBLISH_VERDICTS, verdict=verdict)
    outcome = chance.choices(("allow", "require_approval", "block"), (60, 30, 10))[0]
    metrics.increment(catalog.DECISIONS, outcome=outcome)
    metrics.increment(catalog.APPROVALS, kind="run", outcome=chance.choice(("approved", "rejected", "expired")))
    metrics.increment(catalog.LOGIN_REFUSALS, reason=chance.choice(("expired", "missing", "signature")))
    metrics.increment(catalog.PERMISSION_REFUSALS)
    metrics.increment(catalog.PROMETHEUS_PROBES, outcome=chance.choice(("quiet", "exceeded", "failed")))
    metrics.increment(catalog.RUN_STATES, state="received")


def work(chance: random.Random, *, leads: bool) -> None:
    """What a worker counts within half a minute."""
    for _ in range(chance.randint(1, 5)):
        handler = chance.choice(("shell", "api", "k8s"))
        succeeded = chance.random() < 0.95
        metrics.increment(catalog.STEP_ATTEMPTS, handler=handler, outcome="succeeded" if succeeded else "failed")
        metrics.observe(catalog.STEP_SECONDS, chance.lognormvariate(1, 1), handler=handler)
        for state in ("queued", "running", "succeeded" if succeeded else "failed"):
            metrics.increment(catalog.RUN_STATES, state=state)
    metrics.set_to(catalog.AUDIT_LEADING, int(leads))
    if leads:
        metrics.increment(catalog.AUDIT_ENTRIES, chance.randint(5, 50))
        metrics.set_to(catalog.AUDIT_LAG, chance.expovariate(5))
        metrics.set_to(catalog.AUDIT_ANCHOR_AGE, chance.uniform(0, 60))
        metrics.increment(catalog.AUDIT_VERIFICATIONS, outcome="intact")
        metrics.increment(catalog.SIGNAL_OCCURRENCES, kind="failure_rate", severity="warning")
        metrics.increment(catalog.BACKUPS, outcome="taken")
        metrics.increment(catalog.DRILLS, outcome="passed")


def read(chance: random.Random, now: float, elapsed: float) -> Iterator[Reading]:
    """What a worker reads from the database and from the secret store."""
    yield from (
        Reading(catalog.WORKER_HEARTBEAT, chance.uniform(0, 5)),
        Reading(catalog.AUDIT_WAITING, chance.randint(0, 30)),
        Reading(catalog.AUDIT_OLDEST, chance.uniform(0, 2)),
        Reading(catalog.AUDIT_VERIFIED, now - 600),
        Reading(catalog.CROSS_TENANT_ATTEMPTS, math.floor(elapsed / 1200)),
        Reading(catalog.SIGNING_KEY_END, now + 90 * 86_400),
        Reading(catalog.BACKUP_TAKEN, now - 7_200),
        Reading(catalog.DRILL_PASSED, now - 86_400),
        Reading(catalog.DRILL_RPO, 3_000),
        Reading(catalog.DRILL_RTO, 25),
    )
    for metric, most in ((catalog.RUNS_OPEN, 9), (catalog.RUN_QUIET_SECONDS, 60), (catalog.APPROVALS_PENDING, 4)):
        yield from (_reading(metric, values, chance.randint(0, most)) for values in metric.series())
    for values in catalog.APPROVAL_AGE.series():
        yield _reading(catalog.APPROVAL_AGE, values, elapsed / 2)
    for values in catalog.SIGNALS.series():
        yield _reading(catalog.SIGNALS, values, chance.randint(0, 2))
    for values in catalog.SIGNAL_PRECISION.series():
        yield _reading(catalog.SIGNAL_PRECISION, values, 0.8)
    for values, figure in zip(catalog.WORKERS.series(), (2, 1, 0), strict=True):
        yield _reading(catalog.WORKERS, values, figure)
    for values, figure in zip(catalog.VAULT_STATE.series(), (1, 0, 0), strict=True):
        yield _reading(catalog.VAULT_STATE, values, figure)


def _reading(metric: Metric, values: tuple[str, ...], figure: float) -> Reading:
    return Reading(metric, figure, dict(zip(metric.labels, values, strict=True)))


def hour(process: str, end: int) -> Iterator[str]:
    """The lines of the hour, without the end mark."""
    chance, elapsed = random.Random(process), 0
    start = end - HOUR
    # One reading a scrape: with the real clock the figures of a scrape would be kept for the next ones.
    stored = StoredMetrics([lambda: read(chance, start + elapsed, elapsed)], clock=lambda: float(elapsed))
    registry = CollectorRegistry()
    registry.register(stored)
    for elapsed in range(0, HOUR + 1, EVERY):
        pages = [metrics.render()]
        if process == "server":
            serve(chance)
        else:
            work(chance, leads=process == "worker-1")
            pages.append(generate_latest(registry))  # type: ignore[no-untyped-call]  # the library has no types here
        yield f'up{{job="atom",instance="{process}"}} 1 {start + elapsed}'
        for page in pages:
            yield from _stamped(page.decode(), process, start + elapsed)


def _stamped(page: str, process: str, at: int) -> Iterator[str]:
    """The samples of a page as Prometheus stores them: with the labels of the target and the moment of the scrape."""
    for line in page.splitlines():
        if found := _SAMPLE.match(line):
            labels = ",".join(filter(None, (found["labels"], f'job="atom",instance="{process}"')))
            yield f"{found['name']}{{{labels}}} {found['value']} {at}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in hour(sys.argv[1], int(sys.argv[2])))
