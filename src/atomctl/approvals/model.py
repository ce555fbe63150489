"""Approvals as values: what is voted on, what is demanded, who voted what."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atomctl.access.model import Role
from atomctl.access.permissions import Resource, Verb, allowed
from atomctl.canonical import Digest
from atomctl.policy.votes import VoteRequirement


class SubjectKind(enum.StrEnum):
    """What can be approved."""

    RUN = "run"
    OVERRIDE = "override"
    """A package that was decided `block` may be run all the same."""
    TRUST_RULES = "trust_rules"
    EXCEPTION = "exception"
    """A version older than the newest accepted one may be run."""

    @property
    def resource(self) -> Resource:
        """What the table of permissions calls it."""
        return _RESOURCES[self]


_RESOURCES: Mapping[SubjectKind, Resource] = {
    SubjectKind.RUN: Resource.RUN_APPROVAL,
    SubjectKind.OVERRIDE: Resource.OVERRIDE,
    SubjectKind.TRUST_RULES: Resource.TRUST_RULES,
    SubjectKind.EXCEPTION: Resource.EXCEPTION,
}


class State(enum.StrEnum):
    """Where an approval stands; the transitions are in `states`."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"
    """What it was about has changed or was withdrawn."""


class Choice(enum.StrEnum):
    """What a vote says."""

    APPROVE = "approve"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class Vote:
    """One vote, with the roles the voter had then. It is never changed; `held` are those that they still have."""

    principal_id: UUID
    choice: Choice
    roles: frozenset[Role]
    held: frozenset[Role]
    comment: str
    voted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """n votes bound to digests. Times are UTC.

    Attributes:
        subject_digest: what exactly is approved; a changed subject has another digest and needs another approval.
        subject_ref: the row it is about: a run, a package, a version of trust rules.
        bound: the digests the subject's digest stands for, by name (`package`, `plan`, `parameters`, `decision`, ...).
        excluded: authors and last editors, who cannot vote; the requester never can.
        outcome: why it was voided or rejected.
    """

    id: UUID
    tenant_id: UUID
    subject_kind: SubjectKind
    subject_digest: Digest
    subject_ref: UUID
    bound: Mapping[str, Digest]
    requirement: tuple[VoteRequirement, ...]
    state: State
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    reason: str
    outcome: str | None
    excluded: frozenset[UUID]
    votes: tuple[Vote, ...]

    def approving(self) -> dict[UUID, frozenset[Role]]:
        """Whose votes for it count, with the roles they count with.

        Until it is decided, whoever has lost their role meanwhile does not count; what is decided stays decided.
        """
        approving = [vote for vote in self.votes if vote.choice is Choice.APPROVE]
        if self.state is not State.PENDING:
            return {vote.principal_id: vote.roles for vote in approving}
        resource = self.subject_kind.resource
        return {vote.principal_id: vote.held for vote in approving if allowed(vote.held, Verb.VOTE, resource)}

    def vote_of(self, principal_id: UUID) -> Vote | None:
        """The vote of this principal, if there is one."""
        return next((vote for vote in self.votes if vote.principal_id == principal_id), None)
