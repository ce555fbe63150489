"""People of a tenant, logged in as the server logs them in, without a token around them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

from atomctl.access.claims import Claims
from atomctl.access.model import Actor, Role
from atomctl.access.service import actor_for
from atomctl.db.session import Sessions

ISSUER = "test:issuer"
_seconds = itertools.count()


def claims_of(tenant_id: UUID, subject: str, *roles: Role, issuer: str = ISSUER) -> Claims:
    """What a token for `subject` says; each is issued one second after the one before."""
    issued = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(_seconds))
    return Claims(tenant_id, issuer, subject, frozenset(roles), issued, issued + timedelta(hours=8))


def log_in(sessions: Sessions, tenant_id: UUID, subject: str, *roles: Role, issuer: str = ISSUER) -> Actor:
    """The actor of a person who has just logged in with exactly these roles."""
    with sessions.tenant(tenant_id) as conn:
        return actor_for(conn, claims_of(tenant_id, subject, *roles, issuer=issuer))
