"""Which steps of a run somebody should look at."""

from __future__ import annotations

from uuid import UUID

from tests.fakes.runs_as_values import a_step, an_attempt, steps_of

from atomctl.explanation.model import Log
from atomctl.explanation.steps_seen import Tried, at_work, failing, seen
from atomctl.runs import codes
from atomctl.runs.model import AttemptState, Phase, StepState
from atomctl.runs.steps.codes import EXIT_STATUS

RUN = UUID("01a20a96-3e3a-75d1-993b-6de707dc9f00")
BUILD = a_step("build", StepState.SUCCEEDED, position=1)
DEPLOY = a_step("deploy", StepState.FAILED, position=2, exit_code=3, attempts=2)
UNDO = a_step("undo", StepState.FAILED, position=1, phase=Phase.ROLLBACK)


def names(found: tuple[Tried, ...]) -> list[str]:
    return [tried.step.name for tried in found]


def test_the_forward_failure_comes_before_what_failed_while_undoing_it() -> None:
    assert names(failing(steps_of(UNDO, DEPLOY, BUILD), [])) == ["deploy", "undo"]


def test_a_failed_step_that_was_undone_is_known_by_its_newest_attempt() -> None:
    undone = a_step("deploy", StepState.COMPENSATED)
    attempts = [an_attempt(undone, AttemptState.FAILED, 1), an_attempt(undone, AttemptState.TIMED_OUT, 2)]
    (found,) = failing(steps_of(undone), attempts)
    assert found.attempt is attempts[1]


def test_a_succeeded_step_that_was_undone_did_not_fail() -> None:
    undone = a_step("build", StepState.COMPENSATED)
    assert failing(steps_of(undone), [an_attempt(undone, AttemptState.SUCCEEDED)]) == ()


def test_a_step_that_succeeded_at_its_second_try_did_not_fail() -> None:
    tries = [an_attempt(BUILD, AttemptState.FAILED, 1), an_attempt(BUILD, AttemptState.SUCCEEDED, 2)]
    assert failing(steps_of(BUILD), tries) == ()


def test_a_step_that_is_about_to_be_tried_again_counts_with_its_last_try() -> None:
    again = a_step("deploy", StepState.PENDING)
    assert names(failing(steps_of(again), [an_attempt(again, AttemptState.FAILED)])) == ["deploy"]
    assert failing(steps_of(again), [an_attempt(again, AttemptState.STARTED)]) == ()


def test_waiting_for_people_is_no_work() -> None:
    running = a_step("deploy", StepState.RUNNING, position=2)
    ask = a_step("ask", StepState.RUNNING, position=1, type="approval")
    assert at_work(steps_of(ask), []) is None
    found = at_work(steps_of(ask, running), [an_attempt(running, AttemptState.STARTED)])
    assert found is not None
    assert found.step is running


def test_a_step_is_shown_with_the_meaning_of_its_code() -> None:
    attempt = an_attempt(DEPLOY, AttemptState.FAILED, exit_code=3, isolation="namespaces")
    lost = a_step("deploy", StepState.UNKNOWN, code="RUN613", error="the worker ended")
    found = seen(Tried(lost, attempt), Log(), RUN)
    assert found.problem is not None
    assert (found.problem.why, found.problem.meaning) == ("the worker ended", codes.UNKNOWN_OUTCOME.meaning)
    assert (found.kind, found.isolation, found.exit_code) == ("step", "namespaces", 3)


def test_without_code_and_reason_the_exit_code_is_the_reason() -> None:
    found = seen(Tried(DEPLOY, None), Log(), RUN)
    assert found.problem is not None
    assert (found.problem.why, found.problem.code) == ("exit code 3", None)


def test_a_code_of_another_version_keeps_its_reason() -> None:
    found = seen(Tried(a_step("deploy", StepState.FAILED, code="RUN999", error="new trouble"), None), Log(), RUN)
    assert found.problem is not None
    assert (found.problem.why, found.problem.code, found.problem.meaning) == ("new trouble", "RUN999", None)


def test_a_hint_names_the_run_and_the_step_it_is_about() -> None:
    failed = a_step("deploy", StepState.FAILED, code=EXIT_STATUS.id, exit_code=3)
    found = seen(Tried(failed, None), Log(), RUN).problem
    assert found is not None
    assert found.hint is not None
    assert found.hint.startswith(f"atomctl logs {RUN} --step deploy")
