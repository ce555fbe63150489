"""Which steps of a run somebody should look at. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from atomctl.explanation.model import Log, StepSeen
from atomctl.explanation.problems import problem_of
from atomctl.runs.model import Attempt, AttemptState, Phase, Step, StepState
from atomctl.runs.read import Steps
from atomctl.wpk.model import HandlerType

MOST = 3
"""Failing steps that are shown."""

_BAD = frozenset({StepState.FAILED, StepState.TIMED_OUT, StepState.UNKNOWN})
_BAD_TRY = frozenset({AttemptState.FAILED, AttemptState.TIMED_OUT, AttemptState.REFUSED, AttemptState.LOST})
_SETTLED = frozenset({StepState.SUCCEEDED, StepState.SKIPPED})
_AT_WORK = frozenset({StepState.STARTING, StepState.RUNNING})


@dataclass(frozen=True, slots=True)
class Tried:
    """A step with its newest attempt; None if it never got as far as one."""

    step: Step
    attempt: Attempt | None


def failing(steps: Steps, attempts: Sequence[Attempt]) -> tuple[Tried, ...]:
    """The steps that failed, forward ones first, in the order of the plan; at most `MOST`.

    A step that failed and was undone afterwards is COMPENSATED: then its newest attempt tells. So does that of a step
    which is about to be tried again.
    """
    return tuple(tried for tried in _tried(steps, attempts) if _went_wrong(tried))[:MOST]


def at_work(steps: Steps, attempts: Sequence[Attempt]) -> Tried | None:
    """The step that is being executed now, if one is; waiting for people is no work."""
    found = (tried for tried in _tried(steps, attempts) if tried.step.state in _AT_WORK)
    return next((tried for tried in found if tried.step.type != HandlerType.APPROVAL), None)


def seen(tried: Tried, log: Log, run: UUID) -> StepSeen:
    """The step of this run as it is shown."""
    step, attempt = tried.step, tried.attempt
    code, why = step.code, step.error
    if code is None and why is None and attempt is not None:
        code, why = attempt.code, attempt.error
    exit_code = step.exit_code if attempt is None else attempt.exit_code
    if code is None and why is None and exit_code:
        why = f"exit code {exit_code}"
    return StepSeen(
        name=step.name,
        kind="step" if step.phase is Phase.FORWARD else "rollback",
        type=step.type,
        state=step.state.value,
        tries=step.attempts,
        exit_code=exit_code,
        isolation=attempt.isolation if attempt else None,
        started_at=attempt.started_at if attempt else step.started_at,
        ended_at=attempt.ended_at if attempt else step.ended_at,
        problem=problem_of(code, why, run=run, step=step.name),
        log=log,
    )


def _tried(steps: Steps, attempts: Sequence[Attempt]) -> Iterator[Tried]:
    newest = {(attempt.phase, attempt.step): attempt for attempt in attempts}
    for phase in (Phase.FORWARD, Phase.ROLLBACK):
        for step in sorted(steps.of(phase).values(), key=lambda each: each.position):
            yield Tried(step, newest.get((phase, step.name)))


def _went_wrong(tried: Tried) -> bool:
    if tried.step.state in _SETTLED:
        return False
    return tried.step.state in _BAD or (tried.attempt is not None and tried.attempt.state in _BAD_TRY)
