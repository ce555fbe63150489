"""What follows an attempt: pure rules about retries and about attempts whose worker is gone."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from atomctl.runs.model import AttemptState, StepState
from atomctl.runs.steps.model import Outcome
from atomctl.wpk.model import Idempotency, Retry

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

    `reattach` finds nothing to attach to where steps are processes of the worker, whose supervisor kills them when the
    worker ends: like `unsafe`, it asks.
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
