"""`/trust`: the tenant's signing keys and trust rules."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Response

from atomctl.access.permissions import Resource
from atomctl.canonical import Digest
from atomctl.registry import service as registry
from atomctl.server.acting import CallerOf
from atomctl.server.changing import Answer, ChangeOf
from atomctl.server.documents.base import Reasoned
from atomctl.server.documents.trust import (
    KeyBody,
    KeyDocument,
    KeyPage,
    RevokeBody,
    RulesBody,
    RulesDocument,
    RulesPage,
)
from atomctl.server.pages import PagingOf

router = APIRouter(prefix="/trust", tags=["trust"])


@router.get("/rules")
def show_rules(caller: CallerOf) -> RulesDocument:
    """The rules in force."""
    with caller.reading(Resource.TRUST_RULES) as conn:
        return RulesDocument.of(registry.active_rules(conn, caller.actor.tenant_id))


@router.get("/rules/versions")
def list_rules(caller: CallerOf, paging: PagingOf) -> RulesPage:
    """Every version of the rules, the newest first."""
    with caller.reading(Resource.TRUST_RULES) as conn:
        found = registry.list_rules(conn, caller.actor.tenant_id, after=paging.key(int), limit=paging.fetch)
    page, following = paging.cut(found, lambda rules: rules.version)
    return RulesPage(items=[RulesDocument.of(rules) for rules in page], next=following)


@router.post("/rules", status_code=201, response_model=RulesDocument)
def propose_rules(change: ChangeOf, body: RulesBody) -> Response:
    """Proposes rules. They are in force once a second person approves; at once while there is no second person."""
    actor = change.caller.actor
    return change.once(
        lambda conn: Answer(RulesDocument.of(registry.propose_rules(conn, actor, body.document, body.reason)), 201)
    )


@router.get("/keys")
def list_keys(caller: CallerOf, paging: PagingOf) -> KeyPage:
    """The registered keys, by id."""
    with caller.reading(Resource.SIGNING_KEY) as conn:
        found = registry.list_keys(conn, caller.actor.tenant_id, after=paging.key(str), limit=paging.fetch)
    page, following = paging.cut(found, lambda key: key.record.key_id)
    return KeyPage(items=[KeyDocument.of(key) for key in page], next=following)


@router.post("/keys", status_code=201, response_model=KeyDocument)
def register_key(change: ChangeOf, body: KeyBody) -> Response:
    """Registers a public key. It signs nothing until a rule names it."""
    return change.once(
        lambda conn: Answer(
            KeyDocument.of(
                registry.register_key(
                    conn,
                    change.caller.actor,
                    public_key=body.public_key.encode(),
                    now=datetime.now(UTC),
                    owner=body.owner,
                    origin=body.origin,
                    valid_to=body.valid_to,
                )
            ),
            201,
        )
    )


@router.post("/keys/{key_id}/retire", response_model=KeyDocument)
def retire_key(change: ChangeOf, key_id: str, body: Reasoned) -> Response:
    """Ends a key for new signatures; what was accepted before holds."""
    now = datetime.now(UTC)
    return change.once(
        lambda conn: KeyDocument.of(
            registry.retire_key(conn, change.caller.actor, Digest(key_id), reason=body.reason, now=now)
        )
    )


@router.post("/keys/{key_id}/revoke", response_model=KeyDocument)
def revoke_key(change: ChangeOf, key_id: str, body: RevokeBody) -> Response:
    """Ends a key that may be in other hands; what was accepted before `revoked_from` holds."""
    since = body.revoked_from or datetime.now(UTC)
    return change.once(
        lambda conn: KeyDocument.of(
            registry.revoke_key(conn, change.caller.actor, Digest(key_id), reason=body.reason, revoked_from=since)
        )
    )
