"""Signing keys and trust rules as documents."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, Field

from atomctl.registry.model import RegisteredKey, RulesVersion
from atomctl.server.documents.base import Body, Document, Reasoned


class KeyBody(Body):
    """A public key to register."""

    public_key: str = Field(max_length=8192, description="PEM.")
    owner: UUID | None = Field(default=None, description="The principal it belongs to; by default the caller.")
    origin: str = Field(default="file", max_length=200)
    valid_to: AwareDatetime | None = None


class RevokeBody(Reasoned):
    """A revocation; what the registry accepted before `revoked_from` holds (default: before this moment)."""

    revoked_from: AwareDatetime | None = None


class RulesBody(Reasoned):
    """New trust rules."""

    document: dict[str, Any] = Field(description="atom.trust-rules/v1")


class KeyDocument(Document):
    """A signing key and where it is in its life."""

    schema_: Literal["atom.key/v1"] = Field(default="atom.key/v1", alias="schema")
    key_id: str
    algorithm: str
    origin: str
    owner: UUID | None
    state: str
    valid_from: datetime | None
    valid_to: datetime | None
    revoked_from: datetime | None
    reason: str | None
    registered_by: UUID
    registered_at: datetime

    @classmethod
    def of(cls, key: RegisteredKey) -> Self:
        """The document of a registered key."""
        record = key.record
        same = ("key_id", "algorithm", "origin", "valid_from", "valid_to", "revoked_from", "reason")
        return cls(
            **{name: getattr(record, name) for name in same},
            owner=UUID(record.principal) if record.principal else None,
            state=str(record.state),
            registered_by=key.registered_by,
            registered_at=key.registered_at,
        )


class KeyPage(Document):
    """Some keys, by id."""

    schema_: Literal["atom.key-page/v1"] = Field(default="atom.key-page/v1", alias="schema")
    items: list[KeyDocument]
    next: str | None


class RulesDocument(Document):
    """One version of the trust rules; `bootstrap`: one person put it in force alone."""

    schema_: Literal["atom.trust-rules-version/v1"] = Field(default="atom.trust-rules-version/v1", alias="schema")
    id: UUID
    version: int
    state: str
    document: dict[str, Any]
    digest: str
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    activated_at: datetime | None
    bootstrap: bool
    approval_id: UUID | None

    @classmethod
    def of(cls, rules: RulesVersion) -> Self:
        """The document of a version."""
        fields = {name: getattr(rules, name) for name in cls.model_fields if name not in {"schema_", "state"}}
        return cls(**fields, state=rules.state.value)


class RulesPage(Document):
    """Some versions, the newest first."""

    schema_: Literal["atom.trust-rules-page/v1"] = Field(default="atom.trust-rules-page/v1", alias="schema")
    items: list[RulesDocument]
    next: str | None
