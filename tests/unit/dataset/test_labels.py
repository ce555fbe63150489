"""Labels: whether a run succeeded, why not, and how long it took beside those before it."""

from typing import Any

import pytest

from atomctl.canonical import Json
from atomctl.dataset.labels import error_type, label
from atomctl.dataset.model import ErrorType, Performance, Row
from atomctl.dataset.trailing import ENOUGH, WINDOW, Trailing
from atomctl.runs.model import RunState
from atomctl.runs.states import ENDED


def row(status: RunState, *steps: dict[str, Any]) -> Row:
    known: dict[str, Json] = {"phase": "FORWARD", "state": "SUCCEEDED", "code": None, "exit_code": 0}
    return {"status": status.value, "steps": [{**known, **step} for step in steps]}


@pytest.mark.parametrize("state", RunState)
def test_every_final_state_has_a_reason_and_no_other_has(state: RunState) -> None:
    if state not in ENDED:
        with pytest.raises(ValueError, match="no end"):
            error_type(state, row(state))
    else:
        assert (error_type(state, row(state)) is None) == (state is RunState.SUCCEEDED)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"state": "FAILED", "exit_code": 3}, ErrorType.STEP_FAILED),
        ({"state": "FAILED", "exit_code": None, "code": "RUN642"}, ErrorType.STEP_REFUSED),
        ({"state": "TIMED_OUT"}, ErrorType.TIMED_OUT),
        ({"state": "COMPENSATED", "exit_code": 1}, ErrorType.STEP_FAILED),
        ({"state": "SUCCEEDED"}, ErrorType.ENGINE),
        ({"state": "FAILED", "phase": "ROLLBACK"}, ErrorType.ENGINE),
    ],
)
def test_a_failure_is_named_by_the_first_step_that_went_wrong(step: dict[str, Any], expected: ErrorType) -> None:
    for state in (RunState.FAILED, RunState.ROLLED_BACK, RunState.ROLLBACK_INCOMPLETE):
        assert error_type(state, row(state, {}, step, {"state": "CANCELLED"})) is expected


def test_labels_are_added_and_nothing_is_changed() -> None:
    before = row(RunState.SUCCEEDED)
    after = label(before, Performance.SLOW)
    assert "labels" not in before
    assert after["labels"] == {"success": True, "error_type": None, "performance_class": "slow"}


def test_nothing_is_said_before_enough_runs_came() -> None:
    trailing = Trailing({})
    placed = [trailing.place("web", 100, succeeded=True) for _ in range(ENOUGH + 1)]
    assert placed == [None] * ENOUGH + [Performance.NORMAL]


def test_a_run_is_placed_by_the_tenth_and_ninetieth_percentile_of_those_before_it() -> None:
    for duration, expected in [(10, Performance.FAST), (11, Performance.NORMAL), (91, Performance.SLOW)]:
        assert Trailing({"web": range(1, 101)}).place("web", duration - 1, succeeded=True) is not None
        trailing = Trailing({"web": [each + (expected is Performance.FAST) for each in range(1, 101)]})
        assert trailing.place("web", duration, succeeded=True) is expected


def test_runs_that_are_all_alike_are_normal() -> None:
    trailing = Trailing({"web": [50] * WINDOW})
    assert trailing.place("web", 50, succeeded=True) is Performance.NORMAL


def test_only_the_last_runs_of_the_same_workflow_count_and_only_successful_ones() -> None:
    trailing = Trailing({"web": [10_000] * 500 + [10] * WINDOW, "batch": [10_000] * WINDOW})
    assert trailing.place("web", 99_999, succeeded=False) is None
    assert trailing.place("web", None, succeeded=True) is None
    assert trailing.place("web", 11, succeeded=True) is Performance.SLOW
    assert trailing.place("batch", 11, succeeded=True) is Performance.FAST
