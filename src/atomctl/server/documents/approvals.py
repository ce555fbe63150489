"""Approvals as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from atomctl.access import four_eyes
from atomctl.access.model import Actor
from atomctl.access.permissions import Verb, allowed
from atomctl.approvals.model import Approval, Choice, State, Vote
from atomctl.approvals.tally import missing
from atomctl.policy.votes import VoteRequirement
from atomctl.server.documents.base import Body, Document, Place


class VoteBody(Body):
    """A vote. It is final; the same vote again is a success."""

    choice: Choice
    comment: str = Field(default="", max_length=2000)


class VoteItem(Document):
    """One vote, with the roles the voter held."""

    principal_id: UUID
    choice: str
    roles: list[str]
    comment: str
    voted_at: datetime


class ApprovalDocument(Document):
    """n votes bound to digests; `may_vote` says whether the caller is a second person with a role that votes."""

    schema_: Literal["atom.approval/v1"] = Field(default="atom.approval/v1", alias="schema")
    id: UUID
    kind: str
    subject_digest: str
    subject_ref: UUID
    bound: dict[str, str]
    requirement: list[Place]
    missing: list[Place]
    state: str
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    reason: str
    outcome: str | None
    excluded: list[UUID]
    votes: list[VoteItem]
    may_vote: bool

    @classmethod
    def of(cls, approval: Approval, actor: Actor) -> Self:
        """The document of an approval, as `actor` sees it."""
        return cls(
            id=approval.id,
            kind=approval.subject_kind.value,
            subject_digest=approval.subject_digest,
            subject_ref=approval.subject_ref,
            bound={name: str(digest) for name, digest in approval.bound.items()},
            requirement=[_place(need) for need in approval.requirement],
            missing=[_place(need) for need in missing(approval.requirement, approval.approving())],
            state=approval.state.value,
            requested_by=approval.requested_by,
            requested_at=approval.requested_at,
            expires_at=approval.expires_at,
            decided_at=approval.decided_at,
            reason=approval.reason,
            outcome=approval.outcome,
            excluded=sorted(approval.excluded),
            votes=[_vote(vote) for vote in approval.votes],
            may_vote=_may_vote(approval, actor),
        )


class ApprovalPage(Document):
    """Some approvals, the newest request first."""

    schema_: Literal["atom.approval-page/v1"] = Field(default="atom.approval-page/v1", alias="schema")
    items: list[ApprovalDocument]
    next: str | None


def _may_vote(approval: Approval, actor: Actor) -> bool:
    return (
        approval.state is State.PENDING
        and approval.vote_of(actor.principal_id) is None
        and allowed(actor.roles, Verb.VOTE, approval.subject_kind.resource)
        and four_eyes.may_vote(actor.principal_id, requester=approval.requested_by, excluded=approval.excluded)
    )


def _place(need: VoteRequirement) -> Place:
    return Place(role=need.role, count=need.count)


def _vote(vote: Vote) -> VoteItem:
    return VoteItem(
        principal_id=vote.principal_id,
        choice=vote.choice.value,
        roles=sorted(role.value for role in vote.roles),
        comment=vote.comment,
        voted_at=vote.voted_at,
    )
