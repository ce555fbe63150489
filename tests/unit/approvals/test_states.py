"""The states of an approval."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from atomctl.access.model import Role
from atomctl.access.permissions import Resource
from atomctl.approvals.model import Approval, Choice, State, SubjectKind, Vote
from atomctl.approvals.states import TRANSITIONS, after_vote, counts_for, overdue
from atomctl.canonical import digest
from atomctl.policy.votes import VoteRequirement

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ANNA, BEN, CLEO = UUID(int=1), UUID(int=2), UUID(int=3)


def vote(who: UUID, choice: Choice = Choice.APPROVE, *roles: Role) -> Vote:
    held = frozenset(roles or {Role.APPROVER})
    return Vote(who, choice, held, held, "", NOW)


def approval(*votes: Vote, **changed: Any) -> Approval:
    fields: dict[str, Any] = {
        "id": UUID(int=9),
        "tenant_id": UUID(int=8),
        "subject_kind": SubjectKind.RUN,
        "subject_digest": digest(b"run"),
        "subject_ref": UUID(int=7),
        "bound": {},
        "requirement": (VoteRequirement(None, 2),),
        "state": State.PENDING,
        "requested_by": ANNA,
        "requested_at": NOW,
        "expires_at": NOW + timedelta(hours=1),
        "decided_at": None,
        "reason": "",
        "outcome": None,
        "excluded": frozenset(),
        "votes": votes,
    }
    return Approval(**{**fields, **changed})


def test_it_waits_until_everybody_who_is_needed_has_voted() -> None:
    assert after_vote(approval()) is State.PENDING
    assert after_vote(approval(vote(BEN))) is State.PENDING
    assert after_vote(approval(vote(BEN), vote(CLEO))) is State.APPROVED


def test_one_rejection_outweighs_every_approval() -> None:
    assert after_vote(approval(vote(BEN), vote(CLEO), vote(ANNA, Choice.REJECT))) is State.REJECTED


def test_a_granted_approval_counts_for_the_same_thing_until_its_time_is_over() -> None:
    granted = approval(vote(BEN), state=State.APPROVED, bound={"package": digest(b"p")})
    same, end = {"package": digest(b"p")}, NOW + timedelta(hours=1)
    assert counts_for(granted, same, ANNA, NOW)
    assert not counts_for(granted, same, ANNA, end)
    assert not counts_for(granted, {**same, "plan": digest(b"q")}, ANNA, NOW)
    assert not counts_for(approval(vote(BEN), state=State.VOID, bound=same), same, ANNA, NOW)


def test_a_vote_never_counts_for_a_request_of_the_voter() -> None:
    assert not counts_for(approval(vote(BEN), vote(CLEO), state=State.APPROVED), {}, CLEO, NOW)


def test_its_time_ends_at_the_moment_it_says() -> None:
    end = NOW + timedelta(hours=1)
    assert not overdue(approval(), end - timedelta(microseconds=1))
    assert overdue(approval(), end)
    assert not overdue(approval(state=State.APPROVED), end)


def test_what_is_rejected_expired_or_void_stays_so() -> None:
    assert set(TRANSITIONS) == set(State)
    for ended in (State.REJECTED, State.EXPIRED, State.VOID):
        assert TRANSITIONS[ended] == frozenset()
    assert TRANSITIONS[State.APPROVED] == {State.VOID}


@pytest.mark.parametrize("kind", SubjectKind)
def test_every_kind_of_subject_is_in_the_table_of_permissions(kind: SubjectKind) -> None:
    assert kind.resource in Resource
