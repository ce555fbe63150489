"""Which state an approval goes to next (pure). Decided is decided; only what was approved can still be voided."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from atomctl.approvals.model import Approval, Choice, State
from atomctl.approvals.tally import missing

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


def overdue(approval: Approval, now: datetime) -> bool:
    """Whether it waited too long; the end of its time is outside."""
    return approval.state is State.PENDING and now >= approval.expires_at
