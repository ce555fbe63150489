"""What an issuer may say, and what a verified token said."""

from __future__ import annotations

import enum
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from joserfc.jwk import ECKey, OKPKey, RSAKey

from atomctl.access import codes
from atomctl.access.model import Role
from atomctl.errors import AtomError

SUBJECT_LIMIT = 255
"""Characters of a subject, as OpenID Connect Core 1.0 section 2 limits it."""


class Algorithm(enum.StrEnum):
    """The signature algorithms an issuer may have; none of them shares a secret."""

    ED25519 = "Ed25519"  # RFC 9864
    ES256 = "ES256"
    RS256 = "RS256"
    PS256 = "PS256"


PublicKey = OKPKey | ECKey | RSAKey


class KeySource(Protocol):
    """Where the present public keys of an issuer are."""

    def key(self, key_id: str) -> PublicKey | None:
        """The key with this `kid`, or `None` if the issuer has no such key now."""


@dataclass(frozen=True, slots=True)
class FixedKeys:
    """Keys known from the start, by `kid`."""

    keys: Mapping[str, PublicKey]

    def key(self, key_id: str) -> PublicKey | None:
        """The key with this `kid`."""
        return self.keys.get(key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whom the server believes, for what, and by which algorithm.

    Args:
        name: the exact `iss`.
        audience: what `aud` must be or contain.
        algorithm: the one algorithm of its signatures.
        keys: its public keys.
        tenants: the tenants it may speak for; `None` means every tenant, which only the embedded issuer has.
        tenant_claim: the claim that holds the tenant's id.
        roles_claim: the claim that holds the list of roles or groups.
        role_map: which group is which role; groups that are not in it say nothing. `None`: the list holds role names,
            and any other name is an error.
        lifetime: the longest time between `iat` and `exp` it may grant.
    """

    name: str
    audience: str
    algorithm: Algorithm
    keys: KeySource
    tenants: frozenset[UUID] | None
    tenant_claim: str = "tenant"
    roles_claim: str = "roles"
    role_map: Mapping[str, Role] | None = None
    lifetime: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Claims:
    """Who a verified token speaks of; times are UTC."""

    tenant_id: UUID
    issuer: str
    subject: str
    roles: frozenset[Role]
    issued_at: datetime
    expires_at: datetime


def read_claims(payload: Mapping[str, Any], issuer: Issuer) -> Claims:
    """The claims of a payload whose signature, issuer, audience and times have been checked.

    Raises:
        AtomError: AUT009 subject or lifetime, AUT010 tenant, AUT011 roles.
    """
    issued, expires = (datetime.fromtimestamp(payload[name], UTC) for name in ("iat", "exp"))
    if expires - issued > issuer.lifetime:
        raise AtomError(codes.BAD_CLAIM, f"lives for {expires - issued}, {issuer.name} may grant {issuer.lifetime}")
    return Claims(_tenant(payload, issuer), issuer.name, _subject(payload), _roles(payload, issuer), issued, expires)


def _subject(payload: Mapping[str, Any]) -> str:
    subject = payload["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LIMIT:
        raise AtomError(codes.BAD_CLAIM, f"`sub` is not text of 1 to {SUBJECT_LIMIT} characters")
    # Two spellings of one name would be two persons for the four-eyes rule.
    if subject != unicodedata.normalize("NFC", subject) or any(unicodedata.category(c)[0] in "CZ" for c in subject):
        raise AtomError(codes.BAD_CLAIM, "`sub` holds spaces or control characters, or is not NFC")
    return subject


def _tenant(payload: Mapping[str, Any], issuer: Issuer) -> UUID:
    value = payload.get(issuer.tenant_claim)
    if not isinstance(value, str):
        raise AtomError(codes.BAD_TENANT, f"`{issuer.tenant_claim}` is missing or is not one text")
    try:
        tenant = UUID(value)
    except ValueError:
        tenant = None
    if tenant is None or str(tenant) != value:
        raise AtomError(codes.BAD_TENANT, f"`{issuer.tenant_claim}` is not a tenant's id")
    if issuer.tenants is not None and tenant not in issuer.tenants:
        raise AtomError(codes.BAD_TENANT, f"{issuer.name} may not speak for this tenant")
    return tenant


def _roles(payload: Mapping[str, Any], issuer: Issuer) -> frozenset[Role]:
    names = payload.get(issuer.roles_claim, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise AtomError(codes.BAD_ROLES, f"`{issuer.roles_claim}` is not a list of names")
    if issuer.role_map is not None:
        return frozenset(issuer.role_map[name] for name in names if name in issuer.role_map)
    try:
        return frozenset(Role(name) for name in names)
    except ValueError as error:
        raise AtomError(codes.BAD_ROLES, f"`{issuer.roles_claim}`: {error}") from error
