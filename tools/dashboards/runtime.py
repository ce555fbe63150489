"""What runs: runs, steps, approvals, workers, and the API in front of them."""

from __future__ import annotations

from tools.dashboards.model import Dashboard, Kind, Panel, Query, Row, Unit, age_limit
from tools.dashboards.promql import in_range, largest, per_minute, quantile, share

from atomctl.telemetry import catalog

_FAILED = 'state=~"failed|timed_out|rolled_back|rollback_incomplete"'
_ENDED = 'state=~"succeeded|failed|timed_out|rolled_back|rollback_incomplete"'

_RUNS = Row(
    "Runs",
    (
        Panel(
            title="Succeeded in this time",
            queries=(in_range(catalog.RUN_STATES, 'state="succeeded"'),),
            kind=Kind.FIGURE,
            width=6,
        ),
        Panel(
            title="Failed in this time",
            queries=(in_range(catalog.RUN_STATES, _FAILED),),
            kind=Kind.FIGURE,
            alert="AtomRunFailed",
            above=1,
            width=6,
        ),
        Panel(
            title="Wait for a decision about a step",
            queries=(largest(catalog.RUNS_OPEN, having='state="needs_decision"'),),
            kind=Kind.FIGURE,
            alert="AtomRunNeedsDecision",
            above=1,
            width=6,
        ),
        Panel(
            title="Longest silence of a moving run",
            queries=(largest(catalog.RUN_QUIET_SECONDS, having='state=~"queued|running|cancelling|rolling_back"'),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            alert="AtomRunStuck",
            above=age_limit("AtomRunStuck"),
            width=6,
        ),
        Panel(title="Open runs by state", queries=(largest(catalog.RUNS_OPEN, "state"),)),
        Panel(
            title="Runs that entered a state", queries=(per_minute(catalog.RUN_STATES, "state"),), unit=Unit.PER_MINUTE
        ),
        Panel(
            title="Share of runs that fail",
            queries=(
                share(catalog.RUN_STATES, _FAILED, _ENDED, window="5m", legend="five minutes"),
                share(catalog.RUN_STATES, _FAILED, _ENDED, window="1h", legend="an hour"),
            ),
            unit=Unit.SHARE,
            alert="AtomRunFailuresFast",
            above=0.144,
        ),
        Panel(
            title="Share of runs that fail, over longer",
            queries=(
                share(catalog.RUN_STATES, _FAILED, _ENDED, window="30m", legend="half an hour"),
                share(catalog.RUN_STATES, _FAILED, _ENDED, window="6h", legend="six hours"),
            ),
            unit=Unit.SHARE,
            alert="AtomRunFailuresSlow",
            above=0.06,
        ),
    ),
)

_STEPS = Row(
    "Steps",
    (
        Panel(
            title="Step attempts by outcome",
            queries=(per_minute(catalog.STEP_ATTEMPTS, "outcome"),),
            unit=Unit.PER_MINUTE,
            width=8,
        ),
        Panel(
            title="Step attempts by handler",
            queries=(per_minute(catalog.STEP_ATTEMPTS, "handler"),),
            unit=Unit.PER_MINUTE,
            width=8,
        ),
        Panel(
            title="Duration of a step attempt",
            queries=(
                quantile(catalog.STEP_SECONDS, 0.5, "handler"),
                quantile(catalog.STEP_SECONDS, 0.95, "handler"),
            ),
            unit=Unit.SECONDS,
            width=8,
        ),
    ),
)

_APPROVALS = Row(
    "Approvals",
    (
        Panel(title="Approvals that wait", queries=(largest(catalog.APPROVALS_PENDING, "kind"),), width=8),
        Panel(
            title="How long the oldest approval has waited",
            queries=(largest(catalog.APPROVAL_AGE, "kind"),),
            unit=Unit.SECONDS,
            alert="AtomApprovalWaiting",
            above=age_limit("AtomApprovalWaiting"),
            width=8,
        ),
        Panel(
            title="Approvals by outcome",
            queries=(per_minute(catalog.APPROVALS, "outcome"),),
            unit=Unit.PER_MINUTE,
            width=8,
        ),
    ),
)

_PROCESSES = Row(
    "Workers and API",
    (
        Panel(
            title="Workers alive",
            queries=(largest(catalog.WORKERS, having='state="alive"'),),
            kind=Kind.FIGURE,
            alert="AtomNoWorker",
            below=1,
            width=6,
        ),
        Panel(
            title="Newest heartbeat",
            queries=(largest(catalog.WORKER_HEARTBEAT),),
            unit=Unit.SECONDS,
            kind=Kind.FIGURE,
            alert="AtomNoWorker",
            above=age_limit("AtomNoWorker"),
            width=6,
        ),
        Panel(
            title="Processes that answer Prometheus",
            queries=(Query('sum(up{job=~"atom.*"})'),),
            kind=Kind.FIGURE,
            alert="AtomProcessDown",
            width=6,
        ),
        Panel(
            title="A worker can read the figures",
            queries=(largest(catalog.STORED_READ),),
            kind=Kind.FIGURE,
            alert="AtomFiguresUnread",
            below=1,
            width=6,
        ),
        Panel(title="Workers by state", queries=(largest(catalog.WORKERS, "state"),), alert="AtomWorkerLost"),
        Panel(
            title="Requests by status",
            queries=(per_minute(catalog.HTTP_REQUESTS, "status"),),
            unit=Unit.PER_MINUTE,
        ),
        Panel(
            title="Share of requests answered with an error of the server",
            queries=(share(catalog.HTTP_REQUESTS, 'status="5xx"', window="5m"),),
            unit=Unit.SHARE,
            alert="AtomServerErrors",
            above=0.05,
        ),
        Panel(
            title="Time to answer, 95 of 100 requests",
            queries=(quantile(catalog.HTTP_SECONDS, 0.95, "noun"),),
            unit=Unit.SECONDS,
        ),
    ),
)

DASHBOARD = Dashboard(
    name="runtime",
    title="ATOM runtime",
    description="Runs, steps, approvals, workers and the API.",
    rows=(_RUNS, _STEPS, _APPROVALS, _PROCESSES),
)
