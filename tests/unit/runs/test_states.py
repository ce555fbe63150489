"""The transition tables: closed, connected, and in agreement with the database."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path

import pytest

import atomctl
from atomctl.runs.model import AttemptState, Origin, Phase, RunState, SegmentState, StepState
from atomctl.runs.states import (
    CANCELLABLE,
    ENDED,
    OPEN_STEP,
    RESUMABLE,
    RUN_MOVES,
    SEGMENT_MOVES,
    STEP_MOVES,
    allowed,
)

SCHEMA = Path(atomctl.__file__).parent / "db/migrations/sql/0001/50-runs.sql"


def test_every_state_has_a_row() -> None:
    assert set(RUN_MOVES) == set(RunState)
    assert set(STEP_MOVES) == set(StepState)
    assert set(SEGMENT_MOVES) == set(SegmentState)


def test_every_run_state_can_be_reached_and_an_end_can_be_reached_from_it() -> None:
    def reach(start: RunState) -> set[RunState]:
        seen, left = {start}, [start]
        while left:
            for after in RUN_MOVES[left.pop()] - seen:
                seen.add(after)
                left.append(after)
        return seen

    assert reach(RunState.RECEIVED) == set(RunState)
    assert all(reach(state) & ENDED for state in RunState)


def test_what_has_ended_moves_only_by_a_person_letting_it_go_on() -> None:
    for state in ENDED:
        assert RUN_MOVES[state] <= {RunState.QUEUED, RunState.NEEDS_DECISION}
        assert bool(RUN_MOVES[state]) == (state in RESUMABLE)


def test_every_state_that_can_be_cancelled_has_a_way_to_be() -> None:
    for state in CANCELLABLE:
        assert RUN_MOVES[state] & {RunState.CANCELLED, RunState.CANCELLING}
    assert CANCELLABLE.isdisjoint(ENDED)


def test_a_recorded_success_is_never_open_again() -> None:
    left, seen = [StepState.SUCCEEDED], set[StepState]()
    while left:
        state = left.pop()
        seen.add(state)
        left += list(STEP_MOVES[state] - seen)
    assert seen.isdisjoint(OPEN_STEP)


def test_no_run_skips_its_plan() -> None:
    assert RUN_MOVES[RunState.RECEIVED] == {RunState.PLANNING}
    assert not allowed(RUN_MOVES, RunState.RECEIVED, RunState.RUNNING)
    assert not allowed(RUN_MOVES, RunState.AWAITING_APPROVAL, RunState.RUNNING)
    assert not allowed(RUN_MOVES, RunState.BLOCKED, RunState.RUNNING)


@pytest.mark.parametrize(
    ("table", "column", "states"),
    [
        ("workflow_runs", "state", RunState),
        ("workflow_runs", "origin", Origin),
        ("run_segments", "state", SegmentState),
        ("run_steps", "state", StepState),
        ("run_steps", "phase", Phase),
        ("step_attempts", "state", AttemptState),
    ],
)
def test_the_database_knows_the_same_states(table: str, column: str, states: type[StrEnum]) -> None:
    text = SCHEMA.read_text()
    body = text[text.index(f"CREATE TABLE atom.{table} (") :]
    body = body[: body.index("\n);")]
    check = re.search(rf"CHECK \({column} IN \(([^)]*)\)\)", body)
    assert check is not None
    assert set(re.findall(r"'(\w+)'", check[1])) == {str(state) for state in states}
