"""What a rollback does, in which order, and what it leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from atomctl.runs.model import Phase, Step, StepState
from atomctl.runs.plan import PlannedStep, When
from atomctl.runs.rollback import due, left_over, unmet
from atomctl.wpk.model import HandlerType, Idempotency, Retry


def undo(name: str, compensates: str | None, *needs: str) -> PlannedStep:
    return PlannedStep(
        name=name,
        type=HandlerType.SHELL,
        needs=needs,
        when=When.RUNS,
        condition=None,
        config={},
        timeout=timedelta(seconds=1),
        retry=Retry(),
        idempotency=Idempotency.SAFE,
        compensates=compensates,
    )


def step(name: str, state: StepState, completion: int | None = None, phase: Phase = Phase.FORWARD) -> Step:
    return Step(
        name=name,
        phase=phase,
        position=1,
        type="shell",
        state=state,
        exit_code=None,
        outputs={},
        error=None,
        code=None,
        attempts=1,
        round=1,
        completion=completion,
        approval_id=None,
        started_at=None,
        ended_at=None,
    )


def named(*steps: Step) -> dict[str, Step]:
    return {one.name: one for one in steps}


def rolled(name: str, state: StepState) -> Step:
    return step(name, state, phase=Phase.ROLLBACK)


UNDO = (undo("undo-a", "a"), undo("undo-b", "b"), undo("undo-c", "c"))


def test_started_steps_are_undone_in_reverse_order_of_their_ends() -> None:
    forward = named(
        step("a", StepState.SUCCEEDED, 2), step("b", StepState.SUCCEEDED, 1), step("c", StepState.FAILED, 3)
    )
    assert due(UNDO, forward) == ("undo-c", "undo-a", "undo-b")


def test_a_step_that_never_started_is_not_undone() -> None:
    forward = named(step("a", StepState.SUCCEEDED, 1), step("b", StepState.SKIPPED, 2), step("c", StepState.PENDING))
    assert due(UNDO, forward) == ("undo-a",)


def test_a_step_without_a_recorded_end_is_undone_first() -> None:
    forward = named(step("a", StepState.SUCCEEDED, 1), step("b", StepState.RUNNING), step("c", StepState.SUCCEEDED, 2))
    assert due(UNDO, forward) == ("undo-b", "undo-c", "undo-a")


def test_a_compensation_of_nothing_in_particular_runs_last_and_always() -> None:
    forward = named(step("a", StepState.SUCCEEDED, 1))
    assert due((undo("tell", None), undo("undo-a", "a")), forward) == ("undo-a", "tell")


def test_needs_outrank_the_reverse_order() -> None:
    forward = named(step("a", StepState.SUCCEEDED, 1), step("b", StepState.SUCCEEDED, 2))
    assert due((undo("undo-a", "a"), undo("undo-b", "b", "undo-a")), forward) == ("undo-a", "undo-b")


def test_a_failed_compensation_stops_those_that_need_it_and_theirs() -> None:
    failed = rolled("x", StepState.FAILED)
    stopped = replace(rolled("y", StepState.SKIPPED), error="needs x, which did not succeed")
    fine = rolled("z", StepState.SKIPPED)
    compensations = named(failed, stopped, fine)
    assert unmet(("x", "y", "z"), compensations) == ("x", "y")


def test_everything_undone_leaves_nothing() -> None:
    forward = named(step("a", StepState.COMPENSATED, 1), step("b", StepState.FAILED, 2))
    done = named(rolled("undo-a", StepState.SUCCEEDED), rolled("undo-b", StepState.SUCCEEDED))
    assert left_over(UNDO[:2], forward.values(), done) == ()


def test_what_is_left_is_named() -> None:
    forward = named(step("a", StepState.COMPENSATION_FAILED, 1), step("b", StepState.SUCCEEDED, 2))
    stopped = replace(rolled("undo-b", StepState.SKIPPED), error="needs undo-a, which did not succeed")
    done = named(rolled("undo-a", StepState.FAILED), stopped, rolled("tell", StepState.FAILED))
    assert left_over((undo("tell", None), *UNDO[:2]), forward.values(), done) == ("tell", "a", "b")


def test_a_compensation_whose_condition_said_no_leaves_nothing() -> None:
    forward = named(step("a", StepState.SUCCEEDED, 1))
    assert left_over(UNDO[:1], forward.values(), named(rolled("undo-a", StepState.SKIPPED))) == ()
