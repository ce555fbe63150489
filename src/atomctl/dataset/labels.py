"""What a row is labelled with: whether the run succeeded, why it did not, how long it took beside others."""

from __future__ import annotations

from typing import assert_never

from atomctl.canonical import Json
from atomctl.dataset.model import ErrorType, Performance, Row
from atomctl.runs.model import Phase, RunState, StepState

_BAD = frozenset({StepState.FAILED, StepState.TIMED_OUT, StepState.UNKNOWN, StepState.COMPENSATION_FAILED})


def label(row: Row, performance: Performance | None) -> Row:
    """The row with its labels; `row` is not changed."""
    state = RunState(str(row["status"]))
    error = error_type(state, row)
    return {
        **row,
        "labels": {
            "success": state is RunState.SUCCEEDED,
            "error_type": error.value if error else None,
            "performance_class": performance.value if performance else None,
        },
    }


def error_type(state: RunState, row: Row) -> ErrorType | None:
    """Why the run in this final state did not succeed; None if it did.

    Raises:
        ValueError: a run in this state has not ended.
    """
    match state:
        case RunState.SUCCEEDED:
            return None
        case RunState.BLOCKED | RunState.REJECTED | RunState.EXPIRED | RunState.CANCELLED | RunState.TIMED_OUT:
            return ErrorType(state.value.lower())
        case RunState.FAILED | RunState.ROLLED_BACK | RunState.ROLLBACK_INCOMPLETE:
            return _of_first_failure(row)
        case (
            RunState.RECEIVED
            | RunState.PLANNING
            | RunState.AWAITING_APPROVAL
            | RunState.QUEUED
            | RunState.RUNNING
            | RunState.PAUSED
            | RunState.CANCELLING
            | RunState.ROLLING_BACK
            | RunState.NEEDS_DECISION
        ):
            raise ValueError(f"{state} is no end of a run")
        case _:
            assert_never(state)


def _of_first_failure(row: Row) -> ErrorType:
    """By the first step of the plan that did not end well."""
    for step in _steps(row):
        if step["phase"] != Phase.FORWARD.value or StepState(str(step["state"])) not in _BAD:
            continue
        if step["state"] == StepState.TIMED_OUT.value:
            return ErrorType.TIMED_OUT
        return ErrorType.STEP_REFUSED if step["code"] else ErrorType.STEP_FAILED
    # A step whose effect was taken back is not called failed any more; its exit code still is.
    undone = any(step["exit_code"] for step in _steps(row))
    return ErrorType.STEP_FAILED if undone else ErrorType.ENGINE


def _steps(row: Row) -> list[dict[str, Json]]:
    steps = row["steps"]
    assert isinstance(steps, list), "the row was validated"
    return [step for step in steps if isinstance(step, dict)]
