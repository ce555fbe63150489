"""How a segment opens, turns back and ends its run: the run-level half of the step protocol.

Each function is one transaction that begins with `held_run`, so a worker that lost its token changes nothing. Each
may be called again after a crash: it then finds its own work done and answers the same.
"""

from __future__ import annotations

from typing import Any, assert_never

import psycopg

from atomctl.errors import AtomError
from atomctl.runs import gate, rollback, segments
from atomctl.runs.context import WorkerContext
from atomctl.runs.interpreter import Mode, Opening
from atomctl.runs.model import Claim, Phase, Run, RunState, StepState
from atomctl.runs.plan import Plan
from atomctl.runs.read import Steps, steps_of
from atomctl.runs.segments import held_run
from atomctl.runs.states import OPEN_STEP
from atomctl.runs.transition import Cause, StepChange, move_run, move_step

Connection = psycopg.Connection[dict[str, Any]]

_BAD = frozenset({StepState.FAILED, StepState.TIMED_OUT})
_NOTHING = Opening(Mode.NOTHING)


def open_segment(conn: Connection, context: WorkerContext, claim: Claim, refused: AtomError | None = None) -> Opening:
    """Verifies that the run may go on and says which steps this segment will ask for.

    Args:
        conn: the connection.
        context: the worker's.
        claim: the segment as this worker owns it.
        refused: why the cluster does not let the run go on, if it was asked and does not.
    """
    run = held_run(conn, claim)
    match run.state:
        case RunState.CANCELLING:
            end_cancelled(conn, claim, run, Phase.FORWARD)
            return _NOTHING
        case RunState.QUEUED | RunState.RUNNING | RunState.ROLLING_BACK:
            pass
        case _:
            segments.close(conn, claim.segment)
            return _NOTHING
    if run.state is RunState.QUEUED:
        try:
            material = gate.load_material(conn, context.objects, run, context.abilities)
            gate.require_runnable(conn, run, material.package)
            if refused is not None:
                raise refused
        except AtomError as error:
            if error.code.retryable and error is not refused:
                raise
            move_run(conn, run, RunState.BLOCKED, Cause(why=error.why, code=error.code))
            segments.close(conn, claim.segment)
            return _NOTHING
        move_run(conn, run, RunState.RUNNING, Cause(digests=gate.bound_digests(run)))
    return _what_is_left(steps_of(conn, run.tenant_id, run.id), run)


def _what_is_left(steps: Steps, run: Run) -> Opening:
    failed = any(step.state in _BAD for step in steps.forward.values())
    if run.state is RunState.ROLLING_BACK or failed or rollback.begun(steps.rollback.values()):
        return Opening(Mode.ROLLBACK)
    return Opening(Mode.FORWARD, tuple(name for name, step in steps.forward.items() if step.state in OPEN_STEP))


def begin_rollback(conn: Connection, claim: Claim, plan: Plan) -> Opening:
    """The run is ROLLING_BACK with its compensations in order; or it has ended, because nothing can be rolled back."""
    run = held_run(conn, claim)
    steps = steps_of(conn, run.tenant_id, run.id)
    match run.state:
        case RunState.CANCELLING:
            end_cancelled(conn, claim, run, Phase.FORWARD)
            return _NOTHING
        case RunState.RUNNING:
            cause = _why_it_failed(steps)
            if not plan.rollback:
                move_run(conn, run, _failed_as(steps), cause)
                segments.close(conn, claim.segment)
                return _NOTHING
            move_run(conn, run, RunState.ROLLING_BACK, cause)
            _skip_what_is_not_due(conn, run, steps, plan)
        case RunState.ROLLING_BACK:
            pass
        case _:
            segments.close(conn, claim.segment)
            return _NOTHING
    due = rollback.due(plan.rollback, steps.forward)
    return Opening(Mode.ROLLBACK, tuple(name for name in due if steps.rollback[name].state in OPEN_STEP))


def _skip_what_is_not_due(conn: Connection, run: Run, steps: Steps, plan: Plan) -> None:
    due = rollback.due(plan.rollback, steps.forward)
    for name, step in steps.rollback.items():
        if name not in due and step.state is StepState.PENDING:
            move_step(conn, run, step, StepChange(after=StepState.SKIPPED))


def finish(conn: Connection, claim: Claim, plan: Plan, phase: Phase) -> None:
    """The run has ended by what its steps have become, and the segment is done."""
    run = held_run(conn, claim)
    if run.state is RunState.CANCELLING:
        end_cancelled(conn, claim, run, phase)
        return
    match phase:
        case Phase.FORWARD if run.state is RunState.RUNNING:
            move_run(conn, run, RunState.SUCCEEDED)
        case Phase.ROLLBACK if run.state is RunState.ROLLING_BACK:
            _end_rollback(conn, run, steps_of(conn, run.tenant_id, run.id), plan)
        case Phase.FORWARD | Phase.ROLLBACK:
            pass  # a repeat: the first call's commit was not known to have happened
        case _:
            assert_never(phase)
    segments.close(conn, claim.segment)


def _end_rollback(conn: Connection, run: Run, steps: Steps, plan: Plan) -> None:
    left = rollback.left_over(plan.rollback, steps.forward.values(), steps.rollback)
    cause = _why_it_failed(steps)
    after = RunState.ROLLBACK_INCOMPLETE if left else RunState.ROLLED_BACK
    move_run(conn, run, after, Cause(why=cause.why, code=cause.code, left_over=left))


def end_cancelled(conn: Connection, claim: Claim, run: Run, phase: Phase) -> None:
    """A run that is CANCELLING has ended: what has not started never will; a rollback cut short says what is left."""
    steps = steps_of(conn, run.tenant_id, run.id)
    for step in (*steps.forward.values(), *steps.rollback.values()):
        if step.state is StepState.PENDING:
            move_step(conn, run, step, StepChange(after=StepState.CANCELLED))
    if phase is Phase.ROLLBACK or rollback.begun(steps.rollback.values()):
        left = rollback.not_undone(steps.rollback.values())
        move_run(conn, run, RunState.ROLLBACK_INCOMPLETE, Cause(why="cancelled while rolling back", left_over=left))
    else:
        move_run(conn, run, RunState.CANCELLED, Cause(why=run.why, code=run.code))
    segments.close(conn, claim.segment)


def _failed_as(steps: Steps) -> RunState:
    timed_out = any(step.state is StepState.TIMED_OUT for step in steps.forward.values())
    return RunState.TIMED_OUT if timed_out else RunState.FAILED


def _why_it_failed(steps: Steps) -> Cause:
    bad = [step for step in steps.forward.values() if step.error is not None or step.state in _BAD]
    if not bad:
        return Cause(why="a person asked for the rollback")
    first = min(bad, key=lambda step: step.completion or 0)
    return Cause(why=f"step {first.name}: {first.error or first.state.value.lower()}", code=first.code)
