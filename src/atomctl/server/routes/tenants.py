"""`/tenants` and `/principals`: the caller's tenant and the people in it."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from atomctl.access import service as access
from atomctl.access.model import Role
from atomctl.access.permissions import Resource
from atomctl.server.acting import CallerOf
from atomctl.server.changing import ChangeOf
from atomctl.server.documents.people import PrincipalDocument, PrincipalPage, TenantDocument
from atomctl.server.pages import PagingOf

router = APIRouter(tags=["tenants"])


@router.get("/tenants/current")
def current(caller: CallerOf) -> TenantDocument:
    """Your tenant."""
    with caller.reading(Resource.TENANT) as conn:
        tenant = access.read_tenant(conn, caller.actor.tenant_id)
    bootstrap = tenant.two_deciders_since is None
    return TenantDocument(id=tenant.id, name=tenant.name, created_at=tenant.created_at, bootstrap=bootstrap)


@router.get("/principals")
def list_principals(caller: CallerOf, paging: PagingOf) -> PrincipalPage:
    """The people of your tenant, the oldest first."""
    with caller.transaction() as conn:
        found = access.list_principals(conn, caller.actor, after=paging.key(UUID), limit=paging.fetch)
    page, following = paging.cut(found, lambda principal: principal.id)
    return PrincipalPage(items=[PrincipalDocument.of(principal) for principal in page], next=following)


@router.put("/principals/{principal_id}/roles/{role}", response_model=PrincipalDocument)
def grant(change: ChangeOf, principal_id: UUID, role: Role) -> Response:
    """Gives somebody a role; nobody gives one to themselves."""
    actor = change.caller.actor
    return change.once(lambda conn: PrincipalDocument.of(access.grant_role(conn, actor, principal_id, role)))


@router.delete("/principals/{principal_id}/roles/{role}", response_model=PrincipalDocument)
def revoke(change: ChangeOf, principal_id: UUID, role: Role) -> Response:
    """Takes back a role that was given here; one that comes with somebody's token stays."""
    actor = change.caller.actor
    return change.once(lambda conn: PrincipalDocument.of(access.revoke_role(conn, actor, principal_id, role)))
