"""The tenant's signing keys: registered once, ended once. Every change is audited."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.access.service import show_principal
from atomctl.audit.model import Entry
from atomctl.audit.record import record as record_entry
from atomctl.canonical import Digest
from atomctl.errors import AtomError
from atomctl.registry import codes, rows
from atomctl.registry.model import RegisteredKey
from atomctl.registry.reasons import written
from atomctl.registry.rows import Connection, sql
from atomctl.trust.formats import keyfile
from atomctl.trust.key_record import KeyState


def register_key(
    conn: Connection,
    actor: Actor,
    *,
    public_key: bytes,
    now: datetime,
    owner: UUID | None = None,
    origin: str = "file",
    valid_to: datetime | None = None,
) -> RegisteredKey:
    """The key, valid from now on. It signs nothing until a trust rule names it. The same key again changes nothing.

    Args:
        conn: the transaction of the actor's tenant.
        actor: who registers.
        public_key: PEM.
        now: the clock (UTC).
        owner: whose it is; thresholds and four eyes count people, not keys. By default the actor's.
        origin: where the private half lives, for people.
        valid_to: when it ends, if that is known.

    Raises:
        AtomError: AUT020 may not register, TRU104 and TRU105 not an accepted key, AUT032 no such owner, REG421 it is
            registered for somebody else or has ended.
    """
    require(actor, Verb.REGISTER, Resource.SIGNING_KEY)
    key = keyfile.load_public(public_key)
    owner_id = show_principal(conn, actor.tenant_id, owner or actor.principal_id).id
    made = sql.insert_key(
        conn,
        tenant_id=actor.tenant_id,
        key_id=key.key_id,
        spki=key.spki,
        algorithm=key.algorithm.value,
        origin=origin[:200] or "file",
        owner_id=owner_id,
        valid_from=now,
        valid_to=valid_to,
        registered_by=actor.principal_id,
    )
    registered = show_key(conn, actor.tenant_id, key.key_id)
    if made:
        _audit(conn, actor, "key.register", registered)
    elif registered.record.principal != str(owner_id) or registered.record.state is not KeyState.ACTIVE:
        raise AtomError(codes.KEY_EXISTS, f"{key.key_id} is {registered.record.state}")
    return registered


def retire_key(conn: Connection, actor: Actor, key_id: Digest, *, reason: str, now: datetime) -> RegisteredKey:
    """The key, which signs nothing new from `now` on; what was accepted before holds. Retiring it again is a success.

    Raises:
        AtomError: AUT020 may not retire, REG415 no reason, REG420 unknown, REG422 it is revoked.
    """
    require(actor, Verb.RETIRE, Resource.SIGNING_KEY)
    why = written(reason)
    _lock(conn, actor.tenant_id, key_id)
    changed = sql.retire_key(conn, tenant_id=actor.tenant_id, key_id=key_id, reason=why, now=now)
    return _ended(conn, actor, key_id, KeyState.RETIRED, changed=bool(changed), why=why)


def revoke_key(
    conn: Connection, actor: Actor, key_id: Digest, *, reason: str, revoked_from: datetime | None
) -> RegisteredKey:
    """The key, none of whose signatures holds unless the registry accepted it before `revoked_from` (UTC).

    Without that time none holds at all. A retired key can be revoked; revoking again is a success and changes nothing.

    Raises:
        AtomError: AUT020 may not revoke, REG415 no reason, REG420 unknown.
    """
    require(actor, Verb.REVOKE, Resource.SIGNING_KEY)
    why = written(reason)
    _lock(conn, actor.tenant_id, key_id)
    changed = sql.revoke_key(conn, tenant_id=actor.tenant_id, key_id=key_id, reason=why, revoked_from=revoked_from)
    return _ended(conn, actor, key_id, KeyState.REVOKED, changed=bool(changed), why=why)


def show_key(conn: Connection, tenant_id: UUID, key_id: Digest) -> RegisteredKey:
    """One key.

    Raises:
        AtomError: REG420 the tenant has none with this id.
    """
    found = list(sql.keys(conn, tenant_id=tenant_id, key_id=key_id, after=None, limit=1))
    if not found:
        raise AtomError(codes.UNKNOWN_KEY, f"no key {key_id[:80]}")
    return rows.key(found[0])


def list_keys(conn: Connection, tenant_id: UUID, *, after: str | None = None, limit: int = 50) -> list[RegisteredKey]:
    """The next `limit` keys behind `after`, by id, in whatever state."""
    return [rows.key(row) for row in sql.keys(conn, tenant_id=tenant_id, key_id=None, after=after, limit=limit)]


def _lock(conn: Connection, tenant_id: UUID, key_id: Digest) -> None:
    if sql.lock_key(conn, tenant_id=tenant_id, key_id=key_id) is None:
        raise AtomError(codes.UNKNOWN_KEY, f"no key {key_id[:80]}")


def _ended(
    conn: Connection, actor: Actor, key_id: Digest, state: KeyState, *, changed: bool, why: str
) -> RegisteredKey:
    registered = show_key(conn, actor.tenant_id, key_id)
    if registered.record.state is not state:
        raise AtomError(codes.KEY_ENDED, f"{key_id} is {registered.record.state}")
    if changed:
        action = "key.retire" if state is KeyState.RETIRED else "key.revoke"
        _audit(conn, actor, action, registered, why)
    return registered


def _audit(conn: Connection, actor: Actor, action: str, key: RegisteredKey, why: str | None = None) -> None:
    key_record = key.record
    revoked_from = key_record.revoked_from.isoformat() if key_record.revoked_from else None
    entry = Entry(
        action=action,
        subject=f"key/{key_record.key_id}",
        actor=actor.principal_id,
        digests={"key": key_record.key_id},
        why=why,
        detail={"owner": key_record.principal, "origin": key_record.origin, "revoked_from": revoked_from},
    )
    record_entry(conn, actor.tenant_id, entry)
