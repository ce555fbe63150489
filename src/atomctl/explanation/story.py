"""What happened, in a sentence or two. Pure."""

from __future__ import annotations

from typing import assert_never

from atomctl.explanation.waits import Standing, unknown_step
from atomctl.runs.model import Phase, RunState, StepState


def story(standing: Standing) -> str:  # noqa: PLR0911, PLR0912 - one sentence for each state
    """How the run came to where it is."""
    run = standing.run
    match run.state:
        case RunState.RECEIVED | RunState.PLANNING:
            return "It was asked for and is being planned."
        case RunState.BLOCKED:
            return "It was stopped before anything of it ran."
        case RunState.AWAITING_APPROVAL:
            return "Nothing of it runs until it is approved." if run.started_at is None else "A step waits for votes."
        case RunState.REJECTED:
            return "Somebody voted against it; nothing more of it runs."
        case RunState.EXPIRED:
            return "Nobody decided about it in time; nothing more of it runs."
        case RunState.QUEUED:
            return "It may run as soon as a worker takes it."
        case RunState.RUNNING:
            return _running(standing)
        case RunState.PAUSED:
            return "It is paused."
        case RunState.CANCELLING:
            return "It is being cancelled."
        case RunState.CANCELLED:
            before = "before it began" if run.started_at is None else "while it ran"
            return f"It was cancelled {before}."
        case RunState.ROLLING_BACK:
            return f"{_failure(standing)} What had been done is being undone."
        case RunState.ROLLED_BACK:
            return f"{_failure(standing)} What had been done was undone."
        case RunState.ROLLBACK_INCOMPLETE:
            left = ", ".join(run.left_over) or "see its steps"
            return f"{_failure(standing)} Not everything could be undone: {left}."
        case RunState.NEEDS_DECISION:
            step = unknown_step(standing)
            return f"The worker ended while {step or 'a step'} ran, and nobody knows whether that took effect."
        case RunState.SUCCEEDED:
            return "It was planned, and nothing was executed." if run.dry_run else "All of its steps ended well."
        case RunState.FAILED | RunState.TIMED_OUT:
            return f"{_failure(standing)} Nothing was undone."
        case _:
            assert_never(run.state)


def _running(standing: Standing) -> str:
    retried = next((each.step for each in standing.failing if each.step.state is StepState.PENDING), None)
    if retried is not None:
        return f"It runs; step {retried.name} failed and is tried again."
    return "It runs."


def _failure(standing: Standing) -> str:
    first = next((each for each in standing.failing if each.step.phase is Phase.FORWARD), None)
    if first is None:
        return "It did not come to a good end."
    tries = f" in {first.step.attempts} tries" if first.step.attempts > 1 else ""
    timed_out = first.step.state is StepState.TIMED_OUT
    return f"Step {first.step.name} {'took too long' if timed_out else 'failed'}{tries}."
