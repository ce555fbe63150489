"""Which state an approval goes to next (pure). Decided is decided; only what was approved can still be voided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from atomctl.approvals.model import Approval, Choice, State
from atomctl.approvals.tally import missing
from atomctl.canonical import Digest

TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PENDING: frozenset({State.APPROVED, State.REJECTED, State.EXPIRED, State.VOID}),
    State.APPROVED: frozenset({State.VOID}),
    State.REJECTED: frozenset(),
    State.EXPIRED: frozenset(),
    State.VOID: frozenset(),
}


def after_vote(approval: Approval) -> State:
    """The state a pending approval has with the votes it holds: one rejection ends it, enough approvals grant it."""
    if any(vote.choice is Choice.REJECT for vote in approval.votes):
        return State.REJECTED
    return State.PENDING if missing(approval.requirement, approval.approving()) else State.APPROVED


def counts_for(approval: Approval, bound: Mapping[str, Digest], requester: UUID, now: datetime) -> bool:
    """Whether an approval that was granted before serves another request: for the very same, in its time, by others.

    Args:
        approval: the earlier approval.
        bound: the digests of what is requested now.
        requester: who requests it; nobody's own vote lets their request pass.
        now: the clock (UTC).
    """
    granted = approval.state is State.APPROVED and now < approval.expires_at
    return granted and dict(approval.bound) == dict(bound) and approval.vote_of(requester) is None


def overdue(approval: Approval, now: datetime) -> bool:
    """Whether it waited too long; the end of its time is outside."""
    return approval.state is State.PENDING and now >= approval.expires_at
