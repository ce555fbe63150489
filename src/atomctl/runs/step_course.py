"""One try of one step: the step-level half of the step protocol.

Intent and result are two transactions around the execution. **The attempt's row is the record**: a try that has one is
never executed again, whatever the engine remembers; a try that began and has none is judged by what the author allows
(`follow.after_loss`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.errors import AtomError
from atomctl.runs import codes, rollback, segments, waiting
from atomctl.runs.activation import activation_of, render_step
from atomctl.runs.follow import AfterLoss, after_loss, pause_before_retry, step_after
from atomctl.runs.interpreter import Progress, Verdict
from atomctl.runs.known import holds
from atomctl.runs.model import Attempt, AttemptState, Claim, Phase, Run, RunState, Step, StepState
from atomctl.runs.read import Steps, latest_attempt, steps_of
from atomctl.runs.run_course import end_cancelled, held_run
from atomctl.runs.states import OPEN_STEP
from atomctl.runs.steps.model import Outcome, StepResult
from atomctl.runs.transition import Cause, StepChange, move_run, move_step, start_step
from atomctl.wpk.model import Handler, HandlerType

Connection = psycopg.Connection[dict[str, Any]]

_sql = queries.load(__file__)

NEXT, FAILED, LEAVE = Progress(Verdict.NEXT), Progress(Verdict.FAILED), Progress(Verdict.LEAVE)

_ATTEMPT_AFTER = {
    Outcome.SUCCEEDED: AttemptState.SUCCEEDED,
    Outcome.FAILED: AttemptState.FAILED,
    Outcome.TIMED_OUT: AttemptState.TIMED_OUT,
    Outcome.CANCELLED: AttemptState.CANCELLED,
    Outcome.REFUSED: AttemptState.REFUSED,
}


@dataclass(frozen=True, slots=True)
class Try:
    """Which try of which step, under which ownership; `attempt_id` is fixed before anything is written, so that a
    transaction whose answer was lost can be repeated."""

    claim: Claim
    handler: Handler
    phase: Phase
    try_number: int
    attempt_id: UUID


@dataclass(frozen=True, slots=True)
class Begun:
    """The intent is recorded: execute it, then call `record`."""

    what: Try
    run: Run
    config: Mapping[str, Json]
    """The handler's, with its templates filled in."""


@dataclass(frozen=True, slots=True)
class Lost:
    """An earlier attempt has no recorded end; what can be found out about it comes back as `Found`."""

    attempt: Attempt
    run: Run
    rule: AfterLoss


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about a lost attempt."""

    attempt_id: UUID
    result: StepResult | None = None
    """The report its supervisor left behind."""
    happened: bool | None = None
    """What the handler's probe says."""


def begin(conn: Connection, what: Try, found: Found | None = None) -> Progress | Begun | Lost:
    """Records the intent, or says what is already recorded, or asks about an attempt that was lost.

    Raises:
        LetGo: the segment belongs to somebody else.
    """
    run = held_run(conn, what.claim)
    steps = steps_of(conn, run.tenant_id, run.id)
    step = steps.of(what.phase)[what.handler.name]
    if step.state not in OPEN_STEP:
        return _settled(step)
    if run.state is RunState.CANCELLING:
        end_cancelled(conn, what.claim, run, what.phase)
        return LEAVE
    latest = latest_attempt(conn, run, step, what.try_number)
    match latest:
        case None:
            return _decide(conn, what, run, steps, step)
        case Attempt(state=AttemptState.LOST):
            return _start(conn, what, run, steps, step)
        case Attempt(state=AttemptState.STARTED, id=what.attempt_id):
            return Begun(what, run, render_step(what.handler, activation_of(run, steps)))
        case Attempt(state=AttemptState.STARTED):
            return _after_loss(conn, what, run, steps, latest, found)
        case _:
            pause = pause_before_retry(latest.state, what.handler.retry, what.try_number)
            assert pause is not None, "an open step whose last attempt ended is waiting for its retry"
            return Progress(Verdict.AGAIN, pause.total_seconds())


def _settled(step: Step) -> Progress:
    match step.state:
        case StepState.CANCELLED | StepState.UNKNOWN:
            return LEAVE
        case StepState.FAILED | StepState.TIMED_OUT:
            return FAILED
        case _:
            return NEXT


def _decide(conn: Connection, what: Try, run: Run, steps: Steps, step: Step) -> Progress | Begun:
    """The first time this try is asked for: does the step run at all?"""
    if what.phase is Phase.ROLLBACK and (unmet := rollback.unmet(what.handler.needs, steps.rollback)):
        change = StepChange(after=StepState.SKIPPED, error=f"needs {', '.join(unmet)}, which did not succeed")
        move_step(conn, run, step, change)
        return NEXT
    try:
        wanted = holds(what.handler.when, activation_of(run, steps))
    except AtomError as error:
        move_step(conn, run, step, StepChange(after=StepState.FAILED, error=error.why, code=error.code))
        return FAILED
    if not wanted:
        move_step(conn, run, step, StepChange(after=StepState.SKIPPED))
        return NEXT
    if what.handler.type is HandlerType.APPROVAL:
        return _wait_for_people(conn, what, run, steps, step)
    return _start(conn, what, run, steps, step)


def _wait_for_people(conn: Connection, what: Try, run: Run, steps: Steps, step: Step) -> Progress:
    config = _rendered(conn, what, run, steps, step)
    if config is None:
        return FAILED
    waiting.ask_for_approval(conn, what.claim, run, step, config)
    return LEAVE


def _rendered(conn: Connection, what: Try, run: Run, steps: Steps, step: Step) -> Mapping[str, Json] | None:
    try:
        return render_step(what.handler, activation_of(run, steps))
    except AtomError as error:
        move_step(conn, run, step, StepChange(after=StepState.FAILED, error=error.why, code=error.code))
        return None


def _start(conn: Connection, what: Try, run: Run, steps: Steps, step: Step) -> Progress | Begun:
    config = _rendered(conn, what, run, steps, step)
    if config is None:
        return FAILED
    claim = what.claim
    start_step(conn, run, step, {"attempt": str(what.attempt_id), "try": what.try_number})
    _sql.insert_attempt(
        conn,
        tenant_id=run.tenant_id,
        id=what.attempt_id,
        run_id=run.id,
        phase=what.phase,
        step=step.name,
        number=step.attempts + 1,
        round=step.round,
        try_number=what.try_number,
        segment=claim.segment.number,
        token=claim.token,
        worker_id=claim.worker_id,
    )
    return Begun(what, run, config)


def _after_loss(
    conn: Connection, what: Try, run: Run, steps: Steps, lost: Attempt, found: Found | None
) -> Progress | Begun | Lost:
    rule = after_loss(what.handler.idempotency)
    if found is None or found.attempt_id != lost.id:
        return Lost(lost, run, rule)
    step = steps.of(what.phase)[what.handler.name]
    if found.result is not None:
        return _end(conn, what, run, step, lost.id, found.result)
    _end_attempt(conn, run, lost.id, AttemptState.LOST, error="its worker ended before a result was recorded")
    detail: dict[str, Json] = {"attempt": str(lost.id), "after_loss": rule.value}
    if found.happened:
        move_step(conn, run, step, StepChange(after=StepState.SUCCEEDED, detail={**detail, "probe": "it happened"}))
        _mark_compensated(conn, run, what, well=True)
        return NEXT
    match rule:
        case AfterLoss.RUN_AGAIN | AfterLoss.PROBE:
            return _start(conn, what, run, steps, step)
        case AfterLoss.ASK:
            why = f"step {step.name}: its worker ended while it ran, and nobody knows whether it took effect"
            move_step(conn, run, step, StepChange(after=StepState.UNKNOWN, error=why, code=codes.UNKNOWN_OUTCOME))
            move_run(conn, run, RunState.NEEDS_DECISION, Cause(why=why, code=codes.UNKNOWN_OUTCOME))
            segments.close(conn, what.claim.segment)
            return LEAVE
        case _:
            assert_never(rule)


def record(conn: Connection, begun: Begun, result: StepResult) -> Progress:
    """The attempt's result is recorded, the step has moved, and the answer says how the segment goes on.

    Raises:
        LetGo: the segment belongs to somebody else; the result is dropped.
    """
    run = held_run(conn, begun.what.claim)
    step = steps_of(conn, run.tenant_id, run.id).of(begun.what.phase)[begun.what.handler.name]
    return _end(conn, begun.what, run, step, begun.what.attempt_id, result)


def _end(conn: Connection, what: Try, run: Run, step: Step, attempt_id: UUID, result: StepResult) -> Progress:
    state = _ATTEMPT_AFTER[result.outcome]
    pause = pause_before_retry(state, what.handler.retry, what.try_number)
    again = Progress(Verdict.AGAIN, pause.total_seconds()) if pause is not None else None
    if not _end_attempt(conn, run, attempt_id, state, result, error=result.error):
        return again or _settled(step)  # a repeat: the first commit's answer was lost
    change = StepChange(
        after=StepState.PENDING if again else step_after(state),
        outputs=dict(result.outputs) if state is AttemptState.SUCCEEDED else None,
        exit_code=result.exit_code,
        error=result.error,
        code=result.code,
        detail=_detail(attempt_id, result),
    )
    move_step(conn, run, step, change)
    if again:
        return again
    if state is AttemptState.CANCELLED:
        end_cancelled(conn, what.claim, run, what.phase)
        return LEAVE
    well = state is AttemptState.SUCCEEDED
    _mark_compensated(conn, run, what, well=well)
    return NEXT if well else FAILED


def _mark_compensated(conn: Connection, run: Run, what: Try, *, well: bool) -> None:
    """The step that a compensation was to undo says whether it was; of several, the first to end decides."""
    if what.phase is Phase.FORWARD or what.handler.compensates is None:
        return
    undone = steps_of(conn, run.tenant_id, run.id).forward[what.handler.compensates]
    if undone.state not in {StepState.COMPENSATED, StepState.COMPENSATION_FAILED}:
        after = StepState.COMPENSATED if well else StepState.COMPENSATION_FAILED
        move_step(conn, run, undone, StepChange(after=after, error=undone.error, code=undone.code))


def _end_attempt(
    conn: Connection,
    run: Run,
    attempt_id: UUID,
    state: AttemptState,
    result: StepResult | None = None,
    *,
    error: str | None,
) -> bool:
    changed: int = _sql.end_attempt(
        conn,
        tenant_id=run.tenant_id,
        id=attempt_id,
        after=state,
        exit_code=result.exit_code if result else None,
        outputs=Jsonb(dict(result.outputs) if result else {}),
        error=error,
        code=result.code.id if result and result.code else None,
        isolation=result.isolation.value if result else None,
    )
    return changed == 1


def _detail(attempt_id: UUID, result: StepResult) -> dict[str, Json]:
    return {
        "attempt": str(attempt_id),
        "exit_code": result.exit_code,
        "isolation": result.isolation.value,
        "seconds": round((result.ended - result.started).total_seconds(), 3),
    }
