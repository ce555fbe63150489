"""Explains a run, in the caller's transaction of one tenant. Nothing is written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.approvals.model import Approval, State
from atomctl.approvals.rows import read_approval
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.explanation import steps_seen
from atomctl.explanation.model import LINES, Explanation, Log, Passage, SignalSeen, StepSeen
from atomctl.explanation.next_commands import next_commands
from atomctl.explanation.passages import passage
from atomctl.explanation.problems import problem_of
from atomctl.explanation.recorded import since_success
from atomctl.explanation.steps_seen import Tried
from atomctl.explanation.story import story
from atomctl.explanation.visible import visible
from atomctl.explanation.waits import Standing, waits_for
from atomctl.insight import service as insight
from atomctl.insight.model import Signal
from atomctl.objects.model import ObjectStore
from atomctl.registry import service as registry
from atomctl.registry.rows import find_package
from atomctl.runs import service as runs
from atomctl.runs.log_tail import last_lines
from atomctl.runs.model import Run, RunState
from atomctl.runs.read import Steps

_COLUMNS = 300
"""Characters of a line that are shown."""
_LARGEST_PACKAGE = 4 * 1024 * 1024
"""Bytes of a package that is unpacked for its documents."""

_sql: Any = queries.load(__file__)


def explain_run(conn: Connection, objects: ObjectStore, actor: Actor, run_id: UUID) -> Explanation:
    """What happened to the run, or what it waits for, put together from all that is recorded about it.

    Raises:
        AtomError: AUT020 the actor may not read runs and signals, RUN601 no such run.
    """
    require(actor, Verb.READ, Resource.RUN)
    require(actor, Verb.READ, Resource.SIGNAL)
    run = runs.get(conn, actor.tenant_id, run_id)
    steps, attempts = runs.steps_of(conn, run.tenant_id, run.id), runs.attempts_of(conn, run.tenant_id, run.id)
    standing = Standing(
        run=run,
        failing=steps_seen.failing(steps, attempts),
        at_work=steps_seen.at_work(steps, attempts),
        approval=_pending(conn, run, steps),
        workers=_sql.alive_workers(conn),
    )
    return Explanation(
        run=run,
        story=story(standing),
        problem=problem_of(run.code, run.why, run=run.id),
        failing=tuple(_step(conn, objects, run, each) for each in standing.failing),
        at_work=_step(conn, objects, run, standing.at_work) if standing.at_work else None,
        waits_for=waits_for(standing),
        since_success=since_success(conn, run, attempts),
        signals=_signals(conn, run),
        runbook=_runbook(conn, objects, standing),
        next=next_commands(standing),
    )


def _pending(conn: Connection, run: Run, steps: Steps) -> Approval | None:
    """The approval that the run waits for: its own, or that of a step."""
    if run.state is not RunState.AWAITING_APPROVAL:
        return None
    asked = (run.approval_id, *(step.approval_id for step in steps.forward.values()))
    found = (read_approval(conn, run.tenant_id, approval_id) for approval_id in asked if approval_id is not None)
    return next((approval for approval in found if approval.state is State.PENDING), None)


def _step(conn: Connection, objects: ObjectStore, run: Run, tried: Tried) -> StepSeen:
    return steps_seen.seen(tried, _log(conn, objects, run, tried), run.id)


def _log(conn: Connection, objects: ObjectStore, run: Run, tried: Tried) -> Log:
    """The end of the newest attempt's log; that it cannot be read is said, and hinders nothing else."""
    if tried.attempt is None:
        return Log()
    try:
        tail = last_lines(conn, objects, run, tried.attempt, LINES)
    except AtomError as error:
        return Log(unreadable=str(error))
    return Log(lines=tuple(visible(line.decode(errors="replace"), _COLUMNS) for line in tail.lines), more=tail.more)


def _signals(conn: Connection, run: Run) -> tuple[SignalSeen, ...]:
    first, last = run.started_at or run.created_at, run.ended_at or datetime.now(UTC)
    return tuple(_signal(signal, run) for signal in insight.signals_around(conn, run, first, last))


def _signal(signal: Signal, run: Run) -> SignalSeen:
    return SignalSeen(
        id=signal.id,
        kind=signal.kind.value,
        severity=signal.severity.value,
        state=signal.state.value,
        summary=visible(signal.summary, _COLUMNS),
        window_start=signal.window[0],
        window_end=signal.window[1],
        names_run=run.id in signal.evidence,
    )


def _runbook(conn: Connection, objects: ObjectStore, standing: Standing) -> Passage | None:
    """What the package's own documents say about the failure. None, too, where the package cannot be read any more."""
    if not standing.failing:
        return None
    run, first = standing.run, standing.failing[0].step
    if find_package(conn, run.tenant_id, run.package_id).size > _LARGEST_PACKAGE:
        return None
    try:
        _, package = registry.load_package(conn, objects, run.tenant_id, run.package_id)
    except AtomError:
        return None
    documents = {name: entry.data for name, entry in package.files.items() if name.endswith(".md")}
    return passage(documents, step=first.name, code=first.code)
