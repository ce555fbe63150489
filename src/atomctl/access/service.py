"""Tenants and principals: who a token speaks of becomes a row, and its roles become bindings.

Every function runs in the caller's transaction, whose tenant must be the one it is about. What changes is audited.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from atomctl.access import codes
from atomctl.access.claims import Claims
from atomctl.access.four_eyes import bootstrap_allowed
from atomctl.access.model import Actor, Principal, Role
from atomctl.access.permissions import Resource, Verb, require
from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.db.ids import new_id
from atomctl.errors import AtomError

Connection = psycopg.Connection[dict[str, Any]]

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant; `two_deciders_since` is when it first had two people who may decide on trust rules (UTC)."""

    id: UUID
    name: str
    created_at: datetime
    two_deciders_since: datetime | None


def ensure_tenant(conn: Connection, tenant_id: UUID, name: str) -> Tenant:
    """The tenant, which is made with this name if it is not there; audited when made. Idempotent."""
    if _sql.insert_tenant(conn, tenant_id=tenant_id, name=name):
        record(conn, tenant_id, Entry(action="tenant.create", subject=f"tenant/{tenant_id}", detail={"name": name}))
    return read_tenant(conn, tenant_id)


def read_tenant(conn: Connection, tenant_id: UUID) -> Tenant:
    """The tenant of this transaction.

    Raises:
        AtomError: AUT010 there is none with this id.
    """
    row = _sql.tenant(conn, tenant_id=tenant_id)
    if row is None:
        raise AtomError(codes.BAD_TENANT, "the tenant does not exist")
    return Tenant(row["tenant_id"], row["name"], row["created_at"], row["two_deciders_since"])


def actor_for(conn: Connection, claims: Claims) -> Actor:
    """The principal that verified claims speak of, with the roles in force.

    The first token of a person makes the principal; a token issued later than the newest one seen sets the roles that
    come from claims. An older token keeps only those of its roles that the newest one also grants. A login whose token
    has been seen writes nothing.

    Raises:
        AtomError: AUT010 the tenant does not exist.
    """
    person = {"tenant_id": claims.tenant_id, "issuer": claims.issuer, "subject": claims.subject}
    row = _sql.principal_by_person(conn, **person)
    if row is None:
        _admit(conn, claims)
        row = _sql.principal_by_person(conn, **person)
    if claims.issued_at > row["claims_at"] and _log_in(conn, row["id"], frozenset(row["claimed"]), claims):
        row = _sql.principal_by_person(conn, **person)
    claimed = claims.roles & {Role(role) for role in row["claimed"]}
    granted = {Role(role) for role in row["granted"]}
    return Actor(claims.tenant_id, row["id"], claims.issuer, claims.subject, claimed | granted)


def _admit(conn: Connection, claims: Claims) -> None:
    read_tenant(conn, claims.tenant_id)
    principal_id = new_id()
    made = _sql.insert_principal(
        conn, tenant_id=claims.tenant_id, id=principal_id, issuer=claims.issuer, subject=claims.subject
    )
    if made:
        entry = Entry(
            action="principal.create",
            subject=f"principal/{principal_id}",
            actor=principal_id,
            detail={"issuer": claims.issuer},
            personal={"subject": claims.subject},
        )
        record(conn, claims.tenant_id, entry)


def _log_in(conn: Connection, principal_id: UUID, before: frozenset[str], claims: Claims) -> bool:
    """Takes over the roles of a token newer than any seen; False if another login was newer still."""
    newest = _sql.lock_principal_for_login(
        conn, tenant_id=claims.tenant_id, id=principal_id, issued_at=claims.issued_at
    )
    if newest is None:
        return False
    roles = sorted(role.value for role in claims.roles)
    binding = {"tenant_id": claims.tenant_id, "principal_id": principal_id, "roles": roles}
    _sql.delete_claimed_roles(conn, **binding)
    _sql.insert_claimed_roles(conn, **binding)
    entry = Entry(
        action="principal.login",
        subject=f"principal/{principal_id}",
        actor=principal_id,
        detail={"roles": list[Json](roles), "roles_before": list[Json](sorted(before))},
    )
    record(conn, claims.tenant_id, entry)
    return True


def show_principal(conn: Connection, tenant_id: UUID, principal_id: UUID) -> Principal:
    """A principal of the tenant with all its bindings.

    Raises:
        AtomError: AUT032 there is none with this id.
    """
    row = _sql.principal(conn, tenant_id=tenant_id, id=principal_id)
    if row is None:
        raise AtomError(codes.UNKNOWN_PRINCIPAL, f"no principal {principal_id}")
    return _principal(row)


def list_principals(conn: Connection, actor: Actor, *, after: UUID | None, limit: int) -> list[Principal]:
    """The next `limit` principals behind `after`, oldest first.

    Raises:
        AtomError: AUT020 the actor may not read principals.
    """
    require(actor, Verb.READ, Resource.PRINCIPAL)
    return [_principal(row) for row in _sql.principals(conn, tenant_id=actor.tenant_id, after=after, limit=limit)]


def grant_role(conn: Connection, actor: Actor, principal_id: UUID, role: Role) -> Principal:
    """The principal, who has `role` from now on, by this tenant's word; idempotent and audited.

    Raises:
        AtomError: AUT020 the actor may not grant, or is the principal; AUT032 no such principal.
    """
    require(actor, Verb.GRANT, Resource.PRINCIPAL)
    if principal_id == actor.principal_id:
        raise AtomError(codes.FORBIDDEN, "nobody grants a role to themselves", hint="ask another admin")
    show_principal(conn, actor.tenant_id, principal_id)
    binding = {"tenant_id": actor.tenant_id, "principal_id": principal_id, "role": role.value}
    if _sql.grant_role(conn, **binding, granted_by=actor.principal_id):
        _record_role_change(conn, actor, "principal.grant", principal_id, role)
    return show_principal(conn, actor.tenant_id, principal_id)


def revoke_role(conn: Connection, actor: Actor, principal_id: UUID, role: Role) -> Principal:
    """The principal without the role that was granted here; one that comes from claims stays. Idempotent, audited.

    Raises:
        AtomError: AUT020 the actor may not grant; AUT032 no such principal.
    """
    require(actor, Verb.GRANT, Resource.PRINCIPAL)
    show_principal(conn, actor.tenant_id, principal_id)
    if _sql.revoke_role(conn, tenant_id=actor.tenant_id, principal_id=principal_id, role=role.value):
        _record_role_change(conn, actor, "principal.revoke", principal_id, role)
    return show_principal(conn, actor.tenant_id, principal_id)


def may_decide_alone(conn: Connection, actor: Actor) -> bool:
    """Whether the actor may change trust rules without a second person (the bootstrap rule)."""
    tenant = read_tenant(conn, actor.tenant_id)
    deciders = [row["principal_id"] for row in _sql.deciders(conn, tenant_id=actor.tenant_id)]
    return bootstrap_allowed(deciders, actor.principal_id, ever_had_two=tenant.two_deciders_since is not None)


def _record_role_change(conn: Connection, actor: Actor, action: str, principal_id: UUID, role: Role) -> None:
    entry = Entry(
        action=action, subject=f"principal/{principal_id}", actor=actor.principal_id, detail={"role": role.value}
    )
    record(conn, actor.tenant_id, entry)


def _principal(row: dict[str, Any]) -> Principal:
    return Principal(row["id"], row["issuer"], row["subject"], frozenset(Role(role) for role in row["roles"]))
