"""What may follow what: the transition tables of runs, steps and segments.

These tables are the only place that knows. Each move is one guarded UPDATE (`transition`), so two processes that
disagree about where a run is cannot both win.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from atomctl.runs.model import RunState, SegmentState, StepState

_R, _S = RunState, StepState

RUN_MOVES: Mapping[RunState, frozenset[RunState]] = {
    _R.RECEIVED: frozenset({_R.PLANNING}),
    _R.PLANNING: frozenset({_R.BLOCKED, _R.AWAITING_APPROVAL, _R.QUEUED, _R.SUCCEEDED}),
    _R.BLOCKED: frozenset({_R.QUEUED}),
    _R.AWAITING_APPROVAL: frozenset({_R.QUEUED, _R.REJECTED, _R.EXPIRED, _R.CANCELLED}),
    _R.REJECTED: frozenset(),
    _R.EXPIRED: frozenset(),
    _R.QUEUED: frozenset({_R.RUNNING, _R.BLOCKED, _R.CANCELLED, _R.ROLLBACK_INCOMPLETE}),
    _R.RUNNING: frozenset(
        {
            _R.AWAITING_APPROVAL,
            _R.PAUSED,
            _R.CANCELLING,
            _R.ROLLING_BACK,
            _R.NEEDS_DECISION,
            _R.SUCCEEDED,
            _R.FAILED,
            _R.TIMED_OUT,
        }
    ),
    _R.PAUSED: frozenset({_R.QUEUED, _R.CANCELLED}),
    _R.CANCELLING: frozenset({_R.CANCELLED, _R.ROLLBACK_INCOMPLETE}),
    _R.CANCELLED: frozenset({_R.QUEUED, _R.NEEDS_DECISION}),
    _R.ROLLING_BACK: frozenset({_R.ROLLED_BACK, _R.ROLLBACK_INCOMPLETE, _R.CANCELLING, _R.NEEDS_DECISION}),
    _R.ROLLED_BACK: frozenset(),
    _R.ROLLBACK_INCOMPLETE: frozenset(),
    _R.NEEDS_DECISION: frozenset({_R.QUEUED, _R.CANCELLED, _R.ROLLBACK_INCOMPLETE}),
    _R.SUCCEEDED: frozenset(),
    _R.FAILED: frozenset({_R.QUEUED}),
    _R.TIMED_OUT: frozenset({_R.QUEUED}),
}

STEP_MOVES: Mapping[StepState, frozenset[StepState]] = {
    _S.PENDING: frozenset({_S.SKIPPED, _S.STARTING, _S.FAILED, _S.CANCELLED}),
    _S.SKIPPED: frozenset(),
    _S.STARTING: frozenset(
        {_S.STARTING, _S.RUNNING, _S.SUCCEEDED, _S.FAILED, _S.TIMED_OUT, _S.CANCELLED, _S.UNKNOWN, _S.PENDING}
    ),
    _S.RUNNING: frozenset({_S.STARTING, _S.SUCCEEDED, _S.FAILED, _S.TIMED_OUT, _S.CANCELLED, _S.UNKNOWN, _S.PENDING}),
    _S.SUCCEEDED: frozenset({_S.COMPENSATED, _S.COMPENSATION_FAILED}),
    _S.FAILED: frozenset({_S.PENDING, _S.COMPENSATED, _S.COMPENSATION_FAILED}),
    _S.TIMED_OUT: frozenset({_S.PENDING, _S.COMPENSATED, _S.COMPENSATION_FAILED}),
    _S.CANCELLED: frozenset({_S.PENDING, _S.COMPENSATED, _S.COMPENSATION_FAILED}),
    _S.UNKNOWN: frozenset({_S.PENDING, _S.SUCCEEDED, _S.FAILED, _S.CANCELLED}),
    _S.COMPENSATED: frozenset(),
    _S.COMPENSATION_FAILED: frozenset(),
}

SEGMENT_MOVES: Mapping[SegmentState, frozenset[SegmentState]] = {
    SegmentState.READY: frozenset({SegmentState.ENQUEUED, SegmentState.RUNNING, SegmentState.DONE}),
    SegmentState.ENQUEUED: frozenset({SegmentState.RUNNING, SegmentState.DONE, SegmentState.LOST}),
    SegmentState.RUNNING: frozenset({SegmentState.RUNNING, SegmentState.DONE, SegmentState.LOST}),
    SegmentState.DONE: frozenset(),
    SegmentState.LOST: frozenset(),
}

ENDED: frozenset[RunState] = frozenset(
    {
        _R.BLOCKED,
        _R.REJECTED,
        _R.EXPIRED,
        _R.CANCELLED,
        _R.ROLLED_BACK,
        _R.ROLLBACK_INCOMPLETE,
        _R.SUCCEEDED,
        _R.FAILED,
        _R.TIMED_OUT,
    }
)
"""A run in one of these does nothing more by itself; `RESUMABLE` names those that a person may let go on."""

GIVEN_UP: Mapping[RunState, RunState] = {
    _R.QUEUED: _R.BLOCKED,
    _R.RUNNING: _R.FAILED,
    _R.ROLLING_BACK: _R.ROLLBACK_INCOMPLETE,
    _R.CANCELLING: _R.ROLLBACK_INCOMPLETE,
}
"""How a run ends whose segments cannot be executed any more, by the state it is in."""

RESUMABLE: frozenset[RunState] = frozenset({_R.FAILED, _R.TIMED_OUT, _R.CANCELLED, _R.BLOCKED})

CANCELLABLE: frozenset[RunState] = frozenset(
    {_R.AWAITING_APPROVAL, _R.QUEUED, _R.RUNNING, _R.PAUSED, _R.NEEDS_DECISION, _R.ROLLING_BACK}
)

STARTED_STEP: frozenset[StepState] = frozenset(
    {_S.SUCCEEDED, _S.FAILED, _S.TIMED_OUT, _S.CANCELLED, _S.STARTING, _S.RUNNING, _S.UNKNOWN}
)
"""States of a step that may have had an effect, so that a rollback has to look at it."""

OPEN_STEP: frozenset[StepState] = frozenset({_S.PENDING, _S.STARTING, _S.RUNNING})

_State = TypeVar("_State", RunState, StepState, SegmentState)


def allowed(moves: Mapping[_State, frozenset[_State]], before: _State, after: _State) -> bool:
    """Whether the table has the move."""
    return after in moves[before]
