"""`/auth`: who the caller is."""

from __future__ import annotations

from fastapi import APIRouter

from atomctl.access.service import read_tenant
from atomctl.server.acting import CallerOf
from atomctl.server.documents.people import IdentityDocument, Named, Person

router = APIRouter(prefix="/auth", tags=["auth"])


@router.get("/whoami")
def whoami(caller: CallerOf) -> IdentityDocument:
    """Who you are, in which tenant, with which roles, until when."""
    actor = caller.actor
    with caller.transaction() as conn:
        tenant = read_tenant(conn, actor.tenant_id)
    return IdentityDocument(
        tenant=Named(id=tenant.id, name=tenant.name),
        principal=Person(id=actor.principal_id, issuer=actor.issuer, subject=actor.subject),
        roles=sorted(role.value for role in actor.roles),
        expires_at=caller.claims.expires_at,
    )
