"""Alerts about runs and approvals."""

from __future__ import annotations

from datetime import timedelta

from atomctl.telemetry.alerts.model import Alert, Severity

_FAILED = 'state=~"failed|timed_out|rolled_back|rollback_incomplete"'
_ENDED = 'state=~"succeeded|failed|timed_out|rolled_back|rollback_incomplete"'
_MOVING = 'state=~"queued|running|cancelling|rolling_back"'


def _burns(long: str, short: str, share: float) -> str:
    """Error budget burning in both windows: the long one shows that it matters, the short one that it goes on."""
    parts = (
        f"sum(increase(atom_run_states_total{{{_FAILED}}}[{window}]))"
        f" / sum(increase(atom_run_states_total{{{_ENDED}}}[{window}])) > {share}"
        for window in (long, short)
    )
    return " and ".join(f"({part})" for part in parts)


ALERTS: tuple[Alert, ...] = (
    Alert(
        name="AtomRunFailed",
        expr=f"sum by (state) (increase(atom_run_states_total{{{_FAILED}}}[10m])) > 0",
        severity=Severity.WARNING,
        summary="Runs ended as {{ $labels.state }} within the last ten minutes.",
        means="At least one run did not do what it was asked for. Its steps before the failure took effect, unless the "
        "run says that it was rolled back.",
        clear=(
            "`atomctl runs list --state FAILED` names the runs.",
            "`atomctl runs explain RUN` shows step, reason, the end of the log and what changed since a success.",
            "Mend the cause, then `atomctl runs resume RUN`, or `atomctl runs rerun RUN` for a new run.",
        ),
    ),
    Alert(
        name="AtomRunFailuresFast",
        expr=_burns("1h", "5m", 0.144),
        severity=Severity.CRITICAL,
        summary="{{ $value | humanizePercentage }} of the runs fail: a month's error budget is gone in two days.",
        means="The objective is that 99 % of the runs of 30 days succeed. At this rate, 14.4 times the allowed one, "
        "the budget of the month is used up within two days; the last hour and the last five minutes both show it.",
        clear=(
            "`atomctl signals list --kind failure_rate` names the workflows that fail more often than usual.",
            "If one workflow is to blame: `atomctl packages yank NAME@VERSION` keeps others from starting it.",
            "If all fail, look at what they share: the network, the secret store, a worker's host.",
        ),
        wait=timedelta(minutes=2),
    ),
    Alert(
        name="AtomRunFailuresSlow",
        expr=_burns("6h", "30m", 0.06),
        severity=Severity.WARNING,
        summary="{{ $value | humanizePercentage }} of the runs fail: a month's error budget is gone in five days.",
        means="The same objective as AtomRunFailuresFast, at 6 times the allowed rate: not urgent this minute, and not "
        "going away.",
        clear=(
            "`atomctl signals list --kind failure_rate` names the workflows that fail more often than usual.",
            "`atomctl runs list --state FAILED --workflow NAME` names its runs.",
            "`atomctl runs explain RUN` on some of them shows whether it is always the same step.",
        ),
        wait=timedelta(minutes=15),
    ),
    Alert(
        name="AtomRunStuck",
        expr=f"max by (state) (atom_run_quiet_seconds{{{_MOVING}}}) > $age",
        severity=Severity.WARNING,
        summary="A run in state {{ $labels.state }} has shown nothing for {{ $value | humanizeDuration }}.",
        means="No step attempt began or ended and no line was logged. A queued run is one that no worker takes; a "
        "running one hangs in a step that has no sensible timeout, or works in silence.",
        clear=(
            "`atomctl runs list --state RUNNING` and `--state QUEUED` show which run it is.",
            "Queued: see whether workers are alive (`atomctl doctor`) and have free slots.",
            "Running: `atomctl logs RUN` shows where it stopped; `atomctl runs cancel RUN` ends it and rolls it back.",
            "A step that works in silence for long should print its progress or get a shorter timeout.",
        ),
        wait=timedelta(minutes=1),
        age=timedelta(minutes=30),
    ),
    Alert(
        name="AtomRunNeedsDecision",
        expr='max(atom_runs_open{state="needs_decision"}) > 0',
        severity=Severity.WARNING,
        summary="{{ $value }} runs wait for a person to say whether a step took effect.",
        means="A worker ended in the middle of a step that may not be repeated. Only somebody who looks at the system "
        "itself can tell whether it took effect.",
        clear=(
            "`atomctl runs list --state NEEDS_DECISION` names the runs; `atomctl runs explain RUN` the step.",
            "Look at the system the step changes: did it take effect?",
            "Say so: `atomctl runs resolve RUN STEP done --reason ...`, or `rerun`, or `rollback`.",
        ),
        wait=timedelta(minutes=5),
    ),
    Alert(
        name="AtomApprovalWaiting",
        expr="max by (kind) (atom_approval_oldest_seconds) > $age",
        severity=Severity.WARNING,
        summary="An approval ({{ $labels.kind }}) has waited for {{ $value | humanizeDuration }}.",
        means="Somebody asked for a run, an override or a change of rules, and nobody who may decide has done so. It "
        "expires by itself, and then has to be asked for again.",
        clear=(
            "`atomctl approvals` lists what waits, and who asked.",
            "`atomctl approve ID` or `atomctl reject ID`, by somebody who did not ask for it.",
            "If nobody may: an admin gives the role (`PUT /api/v1/principals/ID/roles/approver`).",
        ),
        wait=timedelta(minutes=1),
        age=timedelta(hours=4),
    ),
    Alert(
        name="AtomRunsUncounted",
        expr="absent(atom_run_states_total)",
        severity=Severity.WARNING,
        summary="No process reports runs, so no alert about them can fire.",
        means="Prometheus scrapes neither the server nor a worker, or they show another version of the metrics. "
        "Silence is not success.",
        clear=(
            "Look at Prometheus' page `/targets`: the job that scrapes ATOM must be there and up.",
            "`curl http://127.0.0.1:8460/metrics | grep atom_run_states` on the server's machine.",
            "Workers name their address in `targets/` of their home.",
        ),
        wait=timedelta(minutes=5),
    ),
)
