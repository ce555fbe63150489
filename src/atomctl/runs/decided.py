"""What follows the end of an approval: called in the transaction of the deciding vote, or of the expiry."""

from __future__ import annotations

from typing import Any, assert_never

import psycopg

from atomctl.approvals.model import Approval, State
from atomctl.db import queries
from atomctl.runs import segments
from atomctl.runs.model import Run, RunState, Step, StepState
from atomctl.runs.read import locked_run
from atomctl.runs.rows import run_from, step_from
from atomctl.runs.transition import Cause, StepChange, move_run, move_step

Connection = psycopg.Connection[dict[str, Any]]

_sql = queries.load(__file__)

_WORDS = {State.REJECTED: "was rejected", State.EXPIRED: "expired", State.VOID: "was withdrawn"}


def on_approval(conn: Connection, approval: Approval) -> None:
    """The run that waited for this approval goes on or ends; one that waits no more, or a pending approval: nothing."""
    if approval.state is State.PENDING:
        return
    row = _sql.step_by_approval(conn, tenant_id=approval.tenant_id, approval_id=approval.id)
    if row is not None:
        run = locked_run(conn, approval.tenant_id, row["run_id"])
        if run.state is RunState.AWAITING_APPROVAL:
            _decide_step(conn, run, step_from(row), approval)
        return
    row = _sql.run_by_approval(conn, tenant_id=approval.tenant_id, approval_id=approval.id)
    if row is not None and (run := run_from(row)).state is RunState.AWAITING_APPROVAL:
        _decide_run(conn, run, approval)


def _decide_run(conn: Connection, run: Run, approval: Approval) -> None:
    """An approval of the whole run, before its first segment."""
    match approval.state:
        case State.APPROVED:
            move_run(conn, run, RunState.QUEUED, Cause(why="approved", digests=approval.bound))
            segments.make_ready(conn, run.tenant_id, run.id)
        case State.REJECTED:
            move_run(conn, run, RunState.REJECTED, Cause(why=approval.outcome or "the approval was rejected"))
        case State.EXPIRED:
            move_run(conn, run, RunState.EXPIRED, Cause(why="nobody decided in time"))
        case State.VOID:
            move_run(conn, run, RunState.CANCELLED, Cause(why=approval.outcome or "the approval was withdrawn"))
        case State.PENDING:
            pass
        case _:
            assert_never(approval.state)


def _decide_step(conn: Connection, run: Run, step: Step, approval: Approval) -> None:
    """An `approval` handler in the middle of a run: whatever was decided, the next segment acts on it."""
    if approval.state is State.APPROVED:
        change = StepChange(after=StepState.SUCCEEDED, outputs={"votes": len(approval.approving())})
    else:
        error = f"the approval {_WORDS[approval.state]}"
        change = StepChange(after=StepState.FAILED, error=error)
    move_step(conn, run, step, change)
    move_run(conn, run, RunState.QUEUED, Cause(why=f"approval of step {step.name}: {approval.state}"))
    segments.make_ready(conn, run.tenant_id, run.id)
