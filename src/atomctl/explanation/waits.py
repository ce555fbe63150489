"""What a run that has not ended waits for. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from atomctl.approvals.model import Approval
from atomctl.approvals.tally import missing
from atomctl.explanation.model import Wait, Waiting
from atomctl.explanation.steps_seen import Tried
from atomctl.policy.votes import VoteRequirement
from atomctl.runs.model import Run, RunState, StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a run is: what its waits, its story and its next commands are made from."""

    run: Run
    failing: Sequence[Tried] = ()
    at_work: Tried | None = None
    approval: Approval | None = None
    """The pending approval, if there is one."""
    workers: int = 0
    """How many workers are alive."""


def waits_for(standing: Standing) -> Wait | None:  # noqa: PLR0911 - one answer for each state
    """What has to happen before the run goes on; None if it has ended."""
    run = standing.run
    match run.state:
        case RunState.RECEIVED | RunState.PLANNING:
            return Wait(Waiting.WORKER, "its plan, which is being made", run.created_at)
        case RunState.AWAITING_APPROVAL:
            return _votes(standing)
        case RunState.QUEUED:
            return Wait(Waiting.WORKER, _a_worker(standing.workers), run.created_at)
        case RunState.RUNNING | RunState.CANCELLING | RunState.ROLLING_BACK:
            return _work(standing)
        case RunState.PAUSED:
            return Wait(Waiting.RESUME, "a person who lets it go on")
        case RunState.NEEDS_DECISION:
            return _decision(standing)
        case (
            RunState.BLOCKED
            | RunState.REJECTED
            | RunState.EXPIRED
            | RunState.CANCELLED
            | RunState.ROLLED_BACK
            | RunState.ROLLBACK_INCOMPLETE
            | RunState.SUCCEEDED
            | RunState.FAILED
            | RunState.TIMED_OUT
        ):
            return None
        case _:
            assert_never(run.state)


def _votes(standing: Standing) -> Wait:
    approval = standing.approval
    if approval is None:
        return Wait(Waiting.VOTES, "votes")
    votes = ", ".join(_place(place) for place in missing(approval.requirement, approval.approving()))
    given = len(approval.approving())
    text = f"{votes}; {given} given so far" if given else votes
    return Wait(Waiting.VOTES, text, approval.requested_at, approval.expires_at)


def _place(place: VoteRequirement) -> str:
    who = "who may approve" if place.role is None else f"with the role {place.role}"
    return f"the vote of {place.count} more {'person' if place.count == 1 else 'people'} {who}"


def _a_worker(alive: int) -> str:
    if alive == 0:
        return "a worker, and none is alive"
    return f"a worker that is free; {alive} {'is' if alive == 1 else 'are'} alive"


def _work(standing: Standing) -> Wait:
    run = standing.run
    if standing.at_work is not None:
        step, attempt = standing.at_work.step, standing.at_work.attempt
        since = attempt.started_at if attempt else step.started_at
        end = " to end, which it was asked to" if run.state is RunState.CANCELLING else f", its try {step.attempts}"
        return Wait(Waiting.STEP, f"step {step.name}{end}", since)
    waiting = next((each.step for each in standing.failing if each.step.state is StepState.PENDING), None)
    if waiting is not None:
        return Wait(Waiting.STEP, f"the next try of step {waiting.name}", run.started_at)
    if standing.workers == 0:
        return Wait(Waiting.WORKER, _a_worker(0), run.started_at)
    return Wait(Waiting.STEP, "its next step", run.started_at)


def _decision(standing: Standing) -> Wait:
    unknown = unknown_step(standing)
    about = f"step {unknown} took effect" if unknown else "its last step took effect"
    return Wait(Waiting.DECISION, f"a person who finds out whether {about}")


def unknown_step(standing: Standing) -> str | None:
    """The name of the step whose outcome nobody knows."""
    return next((each.step.name for each in standing.failing if each.step.state is StepState.UNKNOWN), None)
