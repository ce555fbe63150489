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

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs import attempts, codes, object_record, rollback, segments, waiting
from atomctl.runs.activation import activation_of, render_step
from atomctl.runs.follow import AfterLoss, after_loss, attempt_after, pause_before_retry, step_after
from atomctl.runs.interpreter import Progress, Verdict
from atomctl.runs.known import holds
from atomctl.runs.model import Attempt, AttemptState, Claim, Phase, Run, RunState, Step, StepState
from atomctl.runs.read import Steps, latest_attempt, steps_of
from atomctl.runs.run_course import end_cancelled
from atomctl.runs.segments import held_run
from atomctl.runs.states import OPEN_STEP
from atomctl.runs.steps.kubernetes.model import ObjectChange
from atomctl.runs.steps.model import StepResult
from atomctl.runs.transition import Cause, StepChange, move_run, move_step, start_step
from atomctl.wpk.model import Handler, HandlerType

Connection = psycopg.Connection[dict[str, Any]]

NEXT, FAILED, LEAVE = Progress(Verdict.NEXT), Progress(Verdict.FAILED), Progress(Verdict.LEAVE)


@dataclass(frozen=True, slots=True)
class Try:
    """Which try of which step, under which ownership.

    `attempt_id` is fixed before anything is written, so that a transaction whose answer was lost can be repeated.
    """

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
    activation: Mapping[str, Json]
    """What the handler's templates read, beside secrets. They can all be filled in."""
    objects: tuple[ObjectChange, ...] = ()
    """Of a k8s step: what the run has done to objects of the cluster so far."""
    approved: tuple[dict[str, Json], ...] | None = None
    """Of a k8s step: the objects of its preview; None where nothing could be said beforehand."""


@dataclass(frozen=True, slots=True)
class Lost:
    """An earlier attempt has no recorded end; what can be found out about it comes back as `Found`."""

    attempt: Attempt
    run: Run
    activation: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Found:
    """What was found out about a lost attempt."""

    attempt_id: UUID
    result: StepResult | None = None
    """The report its supervisor left behind."""
    happened: bool | None = None
    """What the handler's probe says; None if there is none or it gave no answer."""
    never_started: bool = False
    """Whether it is certain that nothing of it was carried out."""


@dataclass(frozen=True, slots=True)
class _Scene:
    """A try and everything that was read about it under the run's lock."""

    conn: Connection
    what: Try
    run: Run
    steps: Steps
    step: Step

    def move(self, change: StepChange) -> None:
        move_step(self.conn, self.run, self.step, change)


def begin(conn: Connection, what: Try, found: Found | None = None) -> Progress | Begun | Lost:
    """Records the intent, or says what is already recorded, or asks about an attempt that was lost.

    Raises:
        LetGo: the segment belongs to somebody else.
    """
    scene = _scene(conn, what)
    if scene.step.state not in OPEN_STEP:
        return _settled(scene.step)
    if scene.run.state is RunState.CANCELLING:
        end_cancelled(conn, what.claim, scene.run, what.phase)
        return LEAVE
    return _go_on_from(scene, latest_attempt(conn, scene.run, scene.step, what.try_number), found)


def record(conn: Connection, begun: Begun, result: StepResult) -> Progress:
    """The attempt's result is recorded, the step has moved, and the answer says how the segment goes on.

    Raises:
        LetGo: the segment belongs to somebody else; the result is dropped.
    """
    return _end(_scene(conn, begun.what), begun.what.attempt_id, result)


def show_running(conn: Connection, begun: Begun) -> None:
    """The step shows as RUNNING, if its attempt has not ended meanwhile.

    Raises:
        LetGo: the segment belongs to somebody else.
    """
    scene = _scene(conn, begun.what)
    if scene.step.state is StepState.STARTING:
        scene.move(StepChange(after=StepState.RUNNING, detail={"attempt": str(begun.what.attempt_id)}))


def _scene(conn: Connection, what: Try) -> _Scene:
    run = held_run(conn, what.claim)
    steps = steps_of(conn, run.tenant_id, run.id)
    return _Scene(conn, what, run, steps, steps.of(what.phase)[what.handler.name])


def _settled(step: Step) -> Progress:
    match step.state:
        case StepState.CANCELLED | StepState.UNKNOWN:
            return LEAVE
        case StepState.FAILED | StepState.TIMED_OUT:
            return FAILED
        case _:
            return NEXT


def _go_on_from(scene: _Scene, latest: Attempt | None, found: Found | None) -> Progress | Begun | Lost:
    """What an open step needs, by the newest attempt of this try."""
    match latest:
        case None:
            return _decide(scene)
        case Attempt(state=AttemptState.LOST):
            return _start(scene)
        case Attempt(state=AttemptState.STARTED, id=scene.what.attempt_id):
            return _begun(scene)
        case Attempt(state=AttemptState.STARTED):
            return _after_loss(scene, latest, found)
        case _:
            pause = pause_before_retry(latest.state, scene.what.handler.retry, scene.what.try_number)
            assert pause is not None, "an open step whose last attempt ended is waiting for its retry"
            return Progress(Verdict.AGAIN, pause.total_seconds())


def _decide(scene: _Scene) -> Progress | Begun:
    """The first time this try is asked for: does the step run at all?"""
    handler = scene.what.handler
    if scene.what.phase is Phase.ROLLBACK and (unmet := rollback.unmet(handler.needs, scene.steps.rollback)):
        why = f"needs {', '.join(unmet)}, which did not succeed"
        scene.move(StepChange(after=StepState.SKIPPED, error=why))
        return NEXT
    try:
        wanted = holds(handler.when, activation_of(scene.run, scene.steps))
    except AtomError as error:
        return _unable(scene, error)
    if not wanted:
        scene.move(StepChange(after=StepState.SKIPPED))
        return NEXT
    return _wait_for_people(scene) if handler.type is HandlerType.APPROVAL else _start(scene)


def _unable(scene: _Scene, error: AtomError) -> Progress:
    scene.move(StepChange(after=StepState.FAILED, error=error.why, code=error.code))
    return FAILED


def _wait_for_people(scene: _Scene) -> Progress:
    handler = scene.what.handler
    try:
        config = render_step(handler, activation_of(scene.run, scene.steps))
    except AtomError as error:
        return _unable(scene, error)
    waiting.ask_for_approval(
        scene.conn, scene.what.claim, scene.run, scene.step, config=config, lifetime=handler.timeout
    )
    return LEAVE


def _start(scene: _Scene) -> Progress | Begun:
    try:
        begun = _begun(scene)
    except AtomError as error:
        return _unable(scene, error)
    what = scene.what
    start_step(scene.conn, scene.run, scene.step, {"attempt": str(what.attempt_id), "try": what.try_number})
    attempts.start(scene.conn, what.claim, scene.step, what.attempt_id, what.try_number)
    return begun


def _begun(scene: _Scene) -> Begun:
    activation = activation_of(scene.run, scene.steps)
    handler = scene.what.handler
    render_step(handler, activation)
    if handler.type is not HandlerType.K8S:
        return Begun(scene.what, scene.run, activation)
    changes = object_record.changes_of(scene.conn, scene.run)
    if scene.what.phase is Phase.FORWARD:
        approved = object_record.approved_of(scene.conn, scene.run, handler.name)
        return Begun(scene.what, scene.run, activation, changes, approved)
    carried = {name for name, step in scene.steps.forward.items() if not step.attempts}
    behind = object_record.changes_behind(scene.conn, scene.run, carried)
    return Begun(scene.what, scene.run, activation, (*behind, *changes))


def _after_loss(scene: _Scene, lost: Attempt, found: Found | None) -> Progress | Begun | Lost:
    if found is None or found.attempt_id != lost.id:
        return Lost(lost, scene.run, activation_of(scene.run, scene.steps))
    if found.result is not None:
        return _end(scene, lost.id, found.result)
    rule = AfterLoss.RUN_AGAIN if found.never_started else after_loss(scene.what.handler.idempotency)
    attempts.lose(scene.conn, scene.run.tenant_id, lost.id)
    if found.happened:
        detail: dict[str, Json] = {"attempt": str(lost.id), "probe": "it happened"}
        scene.move(StepChange(after=StepState.SUCCEEDED, detail=detail))
        _mark_compensated(scene, well=True)
        return NEXT
    match rule:
        case AfterLoss.PROBE if found.happened is None:
            return _ask(scene, lost)
        case AfterLoss.RUN_AGAIN | AfterLoss.PROBE:
            return _start(scene)
        case AfterLoss.ASK:
            return _ask(scene, lost)
        case _:
            assert_never(rule)


def _ask(scene: _Scene, lost: Attempt) -> Progress:
    why = f"step {scene.step.name}: its worker ended while it ran, and nobody knows whether it took effect"
    detail: dict[str, Json] = {"attempt": str(lost.id)}
    scene.move(StepChange(after=StepState.UNKNOWN, error=why, code=codes.UNKNOWN_OUTCOME, detail=detail))
    move_run(scene.conn, scene.run, RunState.NEEDS_DECISION, Cause(why=why, code=codes.UNKNOWN_OUTCOME))
    segments.close(scene.conn, scene.what.claim.segment)
    return LEAVE


def _end(scene: _Scene, attempt_id: UUID, result: StepResult) -> Progress:
    state = attempt_after(result.outcome)
    pause = pause_before_retry(state, scene.what.handler.retry, scene.what.try_number)
    again = Progress(Verdict.AGAIN, pause.total_seconds()) if pause is not None else None
    if not attempts.end(scene.conn, scene.run.tenant_id, attempt_id, result):
        return again or _settled(scene.step)  # a repeat: the answer to the first commit was lost
    object_record.settle(scene.conn, scene.run.tenant_id, attempt_id, result)
    scene.move(_change(StepState.PENDING if again else step_after(state), attempt_id, result))
    if again:
        return again
    if state is AttemptState.CANCELLED:
        end_cancelled(scene.conn, scene.what.claim, scene.run, scene.what.phase)
        return LEAVE
    well = state is AttemptState.SUCCEEDED
    _mark_compensated(scene, well=well)
    return NEXT if well else FAILED


def _change(after: StepState, attempt_id: UUID, result: StepResult) -> StepChange:
    return StepChange(
        after=after,
        outputs=dict(result.outputs) if after is StepState.SUCCEEDED else None,
        exit_code=result.exit_code,
        error=result.error,
        code=result.code,
        detail={
            "attempt": str(attempt_id),
            "exit_code": result.exit_code,
            "isolation": result.isolation.value,
            "seconds": round((result.ended - result.started).total_seconds(), 3),
            **({"objects": [change.to_json() for change in result.changes]} if result.changes else {}),
        },
    )


def _mark_compensated(scene: _Scene, *, well: bool) -> None:
    """The step that a compensation was to undo says whether it was; of several, the first to end decides."""
    compensates = scene.what.handler.compensates
    if scene.what.phase is Phase.FORWARD or compensates is None:
        return
    undone = scene.steps.forward[compensates]
    if undone.state not in {StepState.COMPENSATED, StepState.COMPENSATION_FAILED}:
        after = StepState.COMPENSATED if well else StepState.COMPENSATION_FAILED
        change = StepChange(after=after, exit_code=undone.exit_code, error=undone.error, code=undone.code)
        move_step(scene.conn, scene.run, undone, change)
