"""Reads approvals out of the tables, whole: with exclusions and votes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from atomctl.access.model import Role
from atomctl.approvals import codes
from atomctl.approvals.model import Approval, Choice, State, SubjectKind, Vote
from atomctl.canonical import Digest
from atomctl.db import queries
from atomctl.errors import AtomError
from atomctl.policy.votes import VoteRequirement

Connection = psycopg.Connection[dict[str, Any]]

sql: Any = queries.load(__file__)


def read_approvals(conn: Connection, tenant_id: UUID, ids: Iterable[UUID]) -> list[Approval]:
    """The approvals with these ids that the tenant has, newest first."""
    return [_approval(row) for row in sql.approvals(conn, tenant_id=tenant_id, ids=list(ids))]


def read_approval(conn: Connection, tenant_id: UUID, approval_id: UUID) -> Approval:
    """One approval.

    Raises:
        AtomError: APR501 the tenant has none with this id.
    """
    found = read_approvals(conn, tenant_id, [approval_id])
    if not found:
        raise AtomError(codes.UNKNOWN, f"no approval {approval_id}")
    return found[0]


def _approval(row: dict[str, Any]) -> Approval:
    return Approval(
        id=row["id"],
        tenant_id=row["tenant_id"],
        subject_kind=SubjectKind(row["subject_kind"]),
        subject_digest=Digest(row["subject_digest"]),
        subject_ref=row["subject_ref"],
        bound={name: Digest(value) for name, value in row["bound"].items()},
        requirement=tuple(VoteRequirement(need["role"], need["count"]) for need in row["requirement"]),
        state=State(row["state"]),
        requested_by=row["requested_by"],
        requested_at=row["requested_at"],
        expires_at=row["expires_at"],
        decided_at=row["decided_at"],
        reason=row["reason"],
        outcome=row["outcome"],
        excluded=frozenset(row["excluded"]),
        votes=tuple(_vote(vote) for vote in row["votes"]),
    )


def _vote(row: dict[str, Any]) -> Vote:
    return Vote(
        principal_id=UUID(row["principal_id"]),
        choice=Choice(row["choice"]),
        roles=frozenset(Role(role) for role in row["roles"]),
        held=frozenset(Role(role) for role in row["held"]),
        comment=row["comment"],
        voted_at=datetime.fromisoformat(row["voted_at"]),
    )
