"""What follows an attempt: pure rules about retries and about attempts whose worker is gone."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from atomctl.runs.model import AttemptState, StepState
from atomctl.runs.steps import codes
from atomctl.runs.steps.model import Outcome, StepResult
from atomctl.wpk.model import Idempotency, Retry

_LAST_OWN_STATUS = 125  # 126 and 127 are the shell's, from 128 on a signal ended the program
_SERVER_ERRORS = 500
LONGEST_PAUSE = timedelta(hours=1)
"""A doubling backoff stops growing here."""


class AfterLoss(enum.StrEnum):
    """What to do about a try that began and has no recorded end."""

    RUN_AGAIN = "run-again"
    PROBE = "probe"
    """The handler's own probe says whether it happened; if not, it runs again."""
    ASK = "ask"
    """Nobody knows: the step is UNKNOWN and the run asks a person."""


def after_loss(idempotency: Idempotency) -> AfterLoss:
    """What the author allows for a step whose worker ended before a result was recorded.

    Asked only where neither a Job nor a report was found. `reattach` then has nothing to attach to, because steps that
    are processes of a worker end with it: like `unsafe`, it asks.
    """
    match idempotency:
        case Idempotency.SAFE | Idempotency.KEY:
            return AfterLoss.RUN_AGAIN
        case Idempotency.CHECK:
            return AfterLoss.PROBE
        case Idempotency.REATTACH | Idempotency.UNSAFE:
            return AfterLoss.ASK
        case _:
            assert_never(idempotency)


def probe_answer(result: StepResult) -> bool | None:
    """Whether the probe says that the step happened; None if it gave no answer, which is not a no.

    A program answers by ending with 0 or with another status of its own; one that was killed, timed out or could not be
    started said nothing. A server answers with the response that means yes or with another one; one that failed (5xx)
    or could not be reached said nothing.
    """
    if result.outcome is Outcome.SUCCEEDED:
        return True
    status = result.exit_code
    if result.code is codes.EXIT_STATUS and status is not None and 0 < status <= _LAST_OWN_STATUS:
        return False
    if result.code is codes.UNEXPECTED_RESPONSE and status is not None and status < _SERVER_ERRORS:
        return False
    return None


def pause_before_retry(state: AttemptState, retry: Retry, try_number: int) -> timedelta | None:
    """How long to wait before the next try; None if there is none.

    The pause doubles with each try. A refusal is final: what forbade the step will forbid it again. So is a cancel.
    """
    if state not in {AttemptState.FAILED, AttemptState.TIMED_OUT} or try_number >= retry.max_attempts:
        return None
    doublings: int = min(try_number - 1, 32)
    return min(retry.backoff * (1 << doublings), LONGEST_PAUSE)


_STEP_AFTER: Mapping[AttemptState, StepState] = {
    AttemptState.SUCCEEDED: StepState.SUCCEEDED,
    AttemptState.FAILED: StepState.FAILED,
    AttemptState.TIMED_OUT: StepState.TIMED_OUT,
    AttemptState.CANCELLED: StepState.CANCELLED,
    AttemptState.REFUSED: StepState.FAILED,
    AttemptState.LOST: StepState.UNKNOWN,
}


_ATTEMPT_AFTER: Mapping[Outcome, AttemptState] = {
    Outcome.SUCCEEDED: AttemptState.SUCCEEDED,
    Outcome.FAILED: AttemptState.FAILED,
    Outcome.TIMED_OUT: AttemptState.TIMED_OUT,
    Outcome.CANCELLED: AttemptState.CANCELLED,
    Outcome.REFUSED: AttemptState.REFUSED,
}


def attempt_after(outcome: Outcome) -> AttemptState:
    """How an attempt with this outcome is recorded."""
    return _ATTEMPT_AFTER[outcome]


def step_after(state: AttemptState) -> StepState:
    """What a step becomes by its last attempt.

    Raises:
        KeyError: the attempt has not ended.
    """
    return _STEP_AFTER[state]
