"""Roles and the actor: who asks, as every use case sees it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from uuid import UUID


class Role(enum.StrEnum):
    """The seven roles; what each may do is the table in `permissions`."""

    VIEWER = "viewer"
    AUTHOR = "author"
    OPERATOR = "operator"
    APPROVER = "approver"
    SECURITY = "security"
    ADMIN = "admin"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Actor:
    """A principal of one tenant with the roles in force for this request.

    `(issuer, subject)` is the person: two principals of one tenant never share it.
    """

    tenant_id: UUID
    principal_id: UUID
    issuer: str
    subject: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class Principal:
    """What the tenant knows about somebody who has logged in; the subject may have been erased."""

    id: UUID
    issuer: str
    subject: str
    roles: frozenset[Role]
