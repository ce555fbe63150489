"""What people do with a run that exists: cancel it, let it go on, answer its question, run it again."""

from __future__ import annotations

import dataclasses
from typing import Any, assert_never
from uuid import UUID

import psycopg

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.approvals import service as approvals
from atomctl.approvals.model import State
from atomctl.approvals.rows import read_approval
from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore
from atomctl.runs import codes, rollback, segments
from atomctl.runs.model import Answer, Run, RunState, Step, StepState
from atomctl.runs.plan import Abilities
from atomctl.runs.read import Steps, locked_run, run_of, steps_of
from atomctl.runs.requesting import RunRequest, request_run
from atomctl.runs.states import CANCELLABLE, RESUMABLE
from atomctl.runs.transition import Cause, StepChange, move_run, move_step, reopen_step
from atomctl.wpk.model import HandlerType

Connection = psycopg.Connection[dict[str, Any]]

_REOPENED = frozenset({StepState.FAILED, StepState.TIMED_OUT, StepState.CANCELLED})
_CARRIED = frozenset({StepState.SUCCEEDED, StepState.COMPENSATION_FAILED})
_WORKING = frozenset({RunState.RUNNING, RunState.ROLLING_BACK})


def cancel(conn: Connection, actor: Actor, run_id: UUID, reason: str) -> Run:
    """The run is CANCELLED, or CANCELLING while a worker stops its step (TERM, grace, KILL). Again: no change.

    What has been done stays done, and a step whose outcome nobody knows stays UNKNOWN. A rollback that is cancelled
    ends as ROLLBACK_INCOMPLETE with what is left.

    Raises:
        AtomError: AUT020 may not cancel, RUN601 no such run, RUN602 it has ended.
    """
    require(actor, Verb.CANCEL, Resource.RUN)
    run = locked_run(conn, actor.tenant_id, run_id)
    if run.state in {RunState.CANCELLING, RunState.CANCELLED}:
        return run
    if run.state not in CANCELLABLE:
        raise AtomError(codes.STATE, f"run {run.id} is {run.state}")
    cause = Cause(actor=actor.principal_id, why=reason or "cancelled")
    if run.state in _WORKING:
        move_run(conn, run, RunState.CANCELLING, cause)
    else:
        _end_now(conn, actor, run, cause)
    return locked_run(conn, actor.tenant_id, run_id)


def _end_now(conn: Connection, actor: Actor, run: Run, cause: Cause) -> None:
    """No worker is executing anything of it: the run ends here."""
    segments.withdraw(conn, run.tenant_id, run.id)
    steps = steps_of(conn, run.tenant_id, run.id)
    for step in (*steps.forward.values(), *steps.rollback.values()):
        if step.state in {StepState.PENDING, StepState.RUNNING}:
            change = StepChange(after=StepState.CANCELLED, error=step.error, code=step.code, actor=actor.principal_id)
            move_step(conn, run, step, change)
    if rollback.begun(steps.rollback.values()):
        left = rollback.not_undone(steps.rollback.values())
        move_run(conn, run, RunState.ROLLBACK_INCOMPLETE, dataclasses.replace(cause, left_over=left))
    else:
        move_run(conn, run, RunState.CANCELLED, cause)
    open_approvals = {run.approval_id, *(step.approval_id for step in steps.forward.values())} - {None}
    for approval_id in sorted(id_ for id_ in open_approvals if id_ is not None):
        if read_approval(conn, run.tenant_id, approval_id).state is State.PENDING:
            approvals.void(conn, run.tenant_id, approval_id, actor=actor.principal_id, why="the run was cancelled")


def resume(conn: Connection, actor: Actor, run_id: UUID) -> Run:
    """The same run goes on: steps that ended well stay, those that failed or were cancelled are tried again.

    A run that had begun to roll back goes on backward, and nothing forward is tried again. One with a step whose
    outcome nobody knows asks for it first (NEEDS_DECISION). Everything is verified again at the start of its segment.

    Raises:
        AtomError: AUT020 may not start runs, RUN601 no such run, RUN602 it is not one that can go on.
    """
    require(actor, Verb.START, Resource.RUN)
    run = locked_run(conn, actor.tenant_id, run_id)
    if run.state not in RESUMABLE or run.started_at is None:
        raise AtomError(codes.STATE, f"run {run.id} is {run.state} and cannot go on", hint="atomctl runs rerun RUN")
    steps = steps_of(conn, run.tenant_id, run.id)
    if not rollback.begun(steps.rollback.values()):
        for step in (*steps.forward.values(), *steps.rollback.values()):
            if step.state in _REOPENED:
                reopen_step(conn, run, step, actor.principal_id)
    unknown = next((step for step in steps.forward.values() if step.state is StepState.UNKNOWN), None)
    if unknown is None:
        return _go_on(conn, actor, run, "resumed")
    asked = Cause(actor=actor.principal_id, why=unknown.error, code=unknown.code)
    move_run(conn, run, RunState.NEEDS_DECISION, asked)
    return locked_run(conn, run.tenant_id, run.id)


def resolve(conn: Connection, actor: Actor, run_id: UUID, step_name: str, answer: Answer, *, reason: str = "") -> Run:
    """The step whose outcome nobody knew is settled by a person, and the run goes on with the answer.

    `reason` says how the person knows; it is recorded with the answer.

    Raises:
        AtomError: AUT020 may not resolve, RUN601 no such run, RUN602 it is not asking, RUN610 not about this step,
            RUN614 no such step.
    """
    require(actor, Verb.RESOLVE, Resource.RUN)
    run = locked_run(conn, actor.tenant_id, run_id)
    step = _step(steps_of(conn, run.tenant_id, run.id), step_name)
    if run.state is not RunState.NEEDS_DECISION:
        raise AtomError(codes.STATE, f"run {run.id} is {run.state} and asks nothing")
    if step.state is not StepState.UNKNOWN:
        raise AtomError(codes.NOT_A_CHOICE, f"step {step_name} is {step.state}")
    by = actor.principal_id
    match answer:
        case Answer.DONE:
            move_step(conn, run, step, StepChange(after=StepState.SUCCEEDED, actor=by))
        case Answer.AGAIN:
            reopen_step(conn, run, step, by)
        case Answer.ROLL_BACK:
            change = StepChange(after=StepState.FAILED, error="outcome unknown; a person chose to roll back", actor=by)
            move_step(conn, run, step, change)
        case _:
            assert_never(answer)
    return _go_on(conn, actor, run, f"{step_name}: {answer.value}" + (f" ({reason})" if reason else ""))


def rerun(
    conn: Connection,
    objects: ObjectStore,
    actor: Actor,
    run_id: UUID,
    *,
    from_step: str | None = None,
    abilities: Abilities | None = None,
) -> Run:
    """A new run of the same package and parameters, linked to the old one.

    With `from_step`, steps before it in the plan that had succeeded are not repeated, and their outputs are copied; a
    step that waits for people waits again. The old approval counts if it stands, its time is not over, every digest is
    the same and the actor did not vote; else votes are asked for again.

    Raises:
        AtomError: RUN601 no such run, RUN614 it has no such step, and as `request_run`.
    """
    old = run_of(conn, actor.tenant_id, run_id)
    steps = steps_of(conn, old.tenant_id, old.id)
    carried: dict[str, dict[str, Json]] = {}
    if from_step is not None:
        before = _step(Steps(steps.forward, {}), from_step).position
        carried = {
            step.name: step.outputs
            for step in steps.forward.values()
            if step.position < before and step.type != HandlerType.APPROVAL and step.state in _CARRIED
        }
    request = RunRequest(
        package_id=old.package_id,
        parameters=old.parameters,
        environment=old.environment,
        rerun_of=old.id,
        approval_id=old.approval_id,
        carried=carried,
    )
    return request_run(conn, objects, actor, request, abilities)


def _go_on(conn: Connection, actor: Actor, run: Run, why: str) -> Run:
    move_run(conn, run, RunState.QUEUED, Cause(actor=actor.principal_id, why=why))
    segments.make_ready(conn, run.tenant_id, run.id)
    return locked_run(conn, run.tenant_id, run.id)


def _step(steps: Steps, name: str) -> Step:
    step = steps.forward.get(name) or steps.rollback.get(name)
    if step is None:
        raise AtomError(codes.STEP_NOT_FOUND, f"the run has no step {name[:80]!r}")
    return step
