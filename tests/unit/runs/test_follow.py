"""What follows an attempt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from atomctl.errors import Code
from atomctl.runs import follow
from atomctl.runs.follow import LONGEST_PAUSE, AfterLoss, after_loss, attempt_after, pause_before_retry, step_after
from atomctl.runs.model import AttemptState, StepState
from atomctl.runs.steps import codes
from atomctl.runs.steps.model import IsolationLevel, Outcome, StepResult
from atomctl.wpk.model import Idempotency, Retry

RETRY = Retry(max_attempts=4, backoff=timedelta(seconds=5))


def test_only_a_step_whose_author_says_so_is_repeated_after_its_worker_died() -> None:
    assert {kind for kind in Idempotency if after_loss(kind) is AfterLoss.RUN_AGAIN} == {
        Idempotency.SAFE,
        Idempotency.KEY,
    }
    assert after_loss(Idempotency.CHECK) is AfterLoss.PROBE
    assert after_loss(Idempotency.UNSAFE) is after_loss(Idempotency.REATTACH) is AfterLoss.ASK


def test_the_pause_doubles_and_stops_growing() -> None:
    pauses = [pause_before_retry(AttemptState.FAILED, RETRY, number) for number in (1, 2, 3, 4)]
    assert pauses == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20), None]
    patient = Retry(max_attempts=10_000, backoff=timedelta(hours=2))
    assert pause_before_retry(AttemptState.TIMED_OUT, patient, 9_999) == LONGEST_PAUSE


@pytest.mark.parametrize("state", [AttemptState.SUCCEEDED, AttemptState.CANCELLED, AttemptState.REFUSED])
def test_what_did_not_fail_is_not_retried(state: AttemptState) -> None:
    assert pause_before_retry(state, RETRY, 1) is None


def test_every_outcome_has_its_record_and_every_record_its_step_state() -> None:
    for outcome in Outcome:
        assert step_after(attempt_after(outcome)) in StepState
    assert step_after(AttemptState.REFUSED) is StepState.FAILED
    assert step_after(AttemptState.LOST) is StepState.UNKNOWN


@pytest.mark.parametrize(
    ("outcome", "code", "status", "answer"),
    [
        (Outcome.SUCCEEDED, None, 0, True),
        (Outcome.FAILED, codes.EXIT_STATUS, 1, False),
        (Outcome.FAILED, codes.EXIT_STATUS, 127, None),
        (Outcome.FAILED, codes.EXIT_STATUS, 137, None),
        (Outcome.FAILED, codes.NOT_STARTED, None, None),
        (Outcome.TIMED_OUT, codes.TIMED_OUT, None, None),
        (Outcome.FAILED, codes.UNEXPECTED_RESPONSE, 404, False),
        (Outcome.FAILED, codes.UNEXPECTED_RESPONSE, 503, None),
        (Outcome.REFUSED, codes.FORBIDDEN_ADDRESS, None, None),
    ],
)
def test_a_probe_that_did_not_answer_is_neither_yes_nor_no(
    outcome: Outcome, code: Code | None, status: int | None, answer: bool | None
) -> None:
    now = datetime.now(UTC)
    result = StepResult(
        outcome=outcome, started=now, ended=now, isolation=IsolationLevel.NOT_NEEDED, exit_code=status, code=code
    )
    assert follow.probe_answer(result) is answer
