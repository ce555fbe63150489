"""Moving runs and steps from state to state: one guarded UPDATE and one audit entry, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from atomctl.audit.model import Entry, Result
from atomctl.audit.record import record
from atomctl.canonical import Digest, Json
from atomctl.db import queries
from atomctl.errors import AtomError, Code
from atomctl.runs import codes
from atomctl.runs.model import Phase, Run, RunState, Step, StepState
from atomctl.runs.states import ENDED, RUN_MOVES, STEP_MOVES, allowed
from atomctl.telemetry import catalog, metrics

Connection = psycopg.Connection[dict[str, Any]]

_sql = queries.load(__file__)

_COMPLETE = frozenset(StepState) - {StepState.PENDING, StepState.STARTING, StepState.RUNNING, StepState.UNKNOWN}
_BAD_RUN = frozenset({RunState.FAILED, RunState.TIMED_OUT, RunState.ROLLBACK_INCOMPLETE})
_REFUSED_RUN = frozenset({RunState.BLOCKED, RunState.REJECTED, RunState.EXPIRED})
_BAD_STEP = frozenset({StepState.FAILED, StepState.TIMED_OUT, StepState.UNKNOWN, StepState.COMPENSATION_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Who moved it, and why."""

    actor: UUID | None = None
    """The principal; None when the system did it."""
    why: str | None = None
    code: Code | str | None = None
    left_over: Sequence[str] = ()
    """Steps whose effect is still there after a rollback."""
    digests: Mapping[str, Digest] = field(default_factory=dict)

    @property
    def code_id(self) -> str | None:
        """The code as it is stored."""
        return self.code.id if isinstance(self.code, Code) else self.code


NO_CAUSE = Cause()


def move_run(conn: Connection, run: Run, after: RunState, cause: Cause = NO_CAUSE) -> None:
    """The run is in state `after` and the audit log says so.

    Raises:
        AtomError: RUN602 the run is not in the state `run` was read in, or the table does not have this move.
    """
    _require(allowed(RUN_MOVES, run.state, after), f"run {run.id}: {run.state} cannot become {after}")
    changed = _sql.move_run(
        conn,
        tenant_id=run.tenant_id,
        id=run.id,
        before=run.state,
        after=after,
        why=cause.why,
        code=cause.code_id,
        left_over=list(cause.left_over),
        ended=after in ENDED,
    )
    _require(changed == 1, f"run {run.id} is no longer {run.state}")
    entry = Entry(
        action=f"run.{after.value.lower()}",
        subject=f"run/{run.id}",
        result=_run_result(after),
        actor=cause.actor,
        digests=cause.digests,
        code=cause.code_id,
        why=cause.why,
        detail={"from": run.state.value, **({"left_over": list(cause.left_over)} if cause.left_over else {})},
    )
    record(conn, run.tenant_id, entry)
    metrics.increment(catalog.RUN_STATES, state=after.value.lower(), exemplar={"run": str(run.id)})


@dataclass(frozen=True, slots=True, kw_only=True)
class StepChange:
    """What a step becomes, and what is recorded beside it; `detail` goes to the audit entry alone."""

    after: StepState
    outputs: Mapping[str, Json] | None = None
    exit_code: int | None = None
    error: str | None = None
    code: Code | str | None = None
    approval_id: UUID | None = None
    actor: UUID | None = None
    detail: Mapping[str, Json] = field(default_factory=dict)


def move_step(conn: Connection, run: Run, step: Step, change: StepChange) -> None:
    """The step is in the new state and the audit log says so; the first completion of a step gives it its place.

    Raises:
        AtomError: RUN602 the step is not in the state it was read in, or the table does not have this move.
    """
    after = change.after
    _require(allowed(STEP_MOVES, step.state, after), f"step {step.name}: {step.state} cannot become {after}")
    code = change.code.id if isinstance(change.code, Code) else change.code
    changed = _sql.move_step(
        conn,
        **step_key(run, step),
        before=step.state,
        after=after,
        error=change.error,
        code=code,
        exit_code=change.exit_code,
        outputs=None if change.outputs is None else Jsonb(dict(change.outputs)),
        approval_id=change.approval_id,
        completes=after in _COMPLETE,
    )
    _require(changed == 1, f"step {step.name} of run {run.id} is no longer {step.state}")
    _record_step(conn, run, step, change, code)


def start_step(conn: Connection, run: Run, step: Step, detail: Mapping[str, Json]) -> None:
    """The intent to try the step is committed with the caller's transaction; its attempt count has grown.

    Raises:
        AtomError: RUN602 as `move_step`.
    """
    _require(allowed(STEP_MOVES, step.state, StepState.STARTING), f"step {step.name}: {step.state} cannot start")
    changed = _sql.start_step(conn, **step_key(run, step), before=step.state)
    _require(changed == 1, f"step {step.name} of run {run.id} is no longer {step.state}")
    _record_step(conn, run, step, StepChange(after=StepState.STARTING, detail=detail), None)


def reopen_step(conn: Connection, run: Run, step: Step, actor: UUID) -> None:
    """The step is to be tried again, with its retries counted from the beginning, because a person said so.

    Raises:
        AtomError: RUN602 as `move_step`.
    """
    _require(allowed(STEP_MOVES, step.state, StepState.PENDING), f"step {step.name}: {step.state} cannot run again")
    changed = _sql.reopen_step(conn, **step_key(run, step), before=step.state)
    _require(changed == 1, f"step {step.name} of run {run.id} is no longer {step.state}")
    _record_step(conn, run, step, StepChange(after=StepState.PENDING, actor=actor), None)


def step_key(run: Run, step: Step) -> dict[str, Any]:
    """The key of a step's row."""
    return {"tenant_id": run.tenant_id, "run_id": run.id, "phase": step.phase, "name": step.name}


def _record_step(conn: Connection, run: Run, step: Step, change: StepChange, code: str | None) -> None:
    undo = {} if step.phase is Phase.FORWARD else {"phase": step.phase.value}
    entry = Entry(
        action=f"step.{change.after.value.lower()}",
        subject=f"run/{run.id}",
        result=Result.FAILED if change.after in _BAD_STEP else Result.OK,
        actor=change.actor,
        code=code,
        why=change.error,
        detail={"step": step.name, "from": step.state.value, **undo, **change.detail},
    )
    record(conn, run.tenant_id, entry)


def _run_result(state: RunState) -> Result:
    if state in _REFUSED_RUN:
        return Result.REFUSED
    return Result.FAILED if state in _BAD_RUN else Result.OK


def _require(holds: bool, why: str) -> None:
    if not holds:
        raise AtomError(codes.STATE, why)
