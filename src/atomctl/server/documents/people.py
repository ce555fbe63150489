"""The caller, the tenant and its principals as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import Field

from atomctl.access.model import Principal
from atomctl.server.documents.base import Document


class Named(Document):
    """A tenant by id and name."""

    id: UUID
    name: str


class Person(Document):
    """A principal: who they are to which issuer."""

    id: UUID
    issuer: str
    subject: str


class IdentityDocument(Document):
    """Who the caller is, with which roles, until when."""

    schema_: Literal["atom.identity/v1"] = Field(default="atom.identity/v1", alias="schema")
    tenant: Named
    principal: Person
    roles: list[str]
    expires_at: datetime


class TenantDocument(Named):
    """The caller's tenant; `bootstrap`: it never had two people who may decide on trust rules."""

    schema_: Literal["atom.tenant/v1"] = Field(default="atom.tenant/v1", alias="schema")
    created_at: datetime
    bootstrap: bool


class PrincipalDocument(Person):
    """A principal with all its roles."""

    schema_: Literal["atom.principal/v1"] = Field(default="atom.principal/v1", alias="schema")
    roles: list[str]

    @classmethod
    def of(cls, principal: Principal) -> Self:
        """The document of a principal."""
        return cls(
            id=principal.id,
            issuer=principal.issuer,
            subject=principal.subject,
            roles=sorted(role.value for role in principal.roles),
        )


class PrincipalPage(Document):
    """Some principals, the oldest first."""

    schema_: Literal["atom.principal-page/v1"] = Field(default="atom.principal-page/v1", alias="schema")
    items: list[PrincipalDocument]
    next: str | None
