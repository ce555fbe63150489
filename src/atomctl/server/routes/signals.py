"""`/signals`: what insight noticed, what people say about it, and questions to Prometheus."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from fastapi import APIRouter, Response

from atomctl.access.permissions import Resource, Verb, require
from atomctl.db.session import Connection
from atomctl.insight import probing
from atomctl.insight import service as insight
from atomctl.insight.model import Kind, State
from atomctl.server.acting import CallerOf
from atomctl.server.changing import ChangeOf
from atomctl.server.documents.signals import (
    CommentBody,
    LabelBody,
    ProbeBody,
    ProbeDocument,
    SignalDocument,
    SignalPage,
)
from atomctl.server.pages import PagingOf

router = APIRouter(prefix="/signals", tags=["signals"])


@router.get("")
def list_signals(
    caller: CallerOf, paging: PagingOf, state: State | None = None, kind: Kind | None = None
) -> SignalPage:
    """Signals, the newest first."""
    require(caller.actor, Verb.READ, Resource.SIGNAL)
    with caller.transaction() as conn:
        found = insight.list_signals(
            conn, caller.actor.tenant_id, state=state, kind=kind, after=paging.key(UUID), limit=paging.fetch
        )
    page, following = paging.cut(found, lambda signal: signal.id)
    return SignalPage(items=[SignalDocument.of(signal) for signal in page], next=following)


@router.get("/{signal_id}")
def show_signal(caller: CallerOf, signal_id: UUID) -> SignalDocument:
    """One signal."""
    require(caller.actor, Verb.READ, Resource.SIGNAL)
    with caller.transaction() as conn:
        return SignalDocument.of(insight.get(conn, caller.actor.tenant_id, signal_id))


@router.post("/probe", response_model=ProbeDocument)
def probe(change: ChangeOf, body: ProbeBody) -> Response:
    """Asks the configured Prometheus; an answer beyond the threshold is recorded as a signal."""
    caller, question = change.caller, body.question()
    answer = probing.ask(caller.actor, caller.services.settings.prometheus_url, question)
    now = datetime.now(UTC)

    def do(conn: Connection) -> ProbeDocument:
        if not answer.exceeded:
            return ProbeDocument.of(question, answer, None)
        candidate = probing.candidate(question, answer, now)
        return ProbeDocument.of(question, answer, insight.raise_signal(conn, caller.actor.tenant_id, candidate))

    return change.once(do)


@router.post("/{signal_id}/acknowledge", response_model=SignalDocument)
def acknowledge(change: ChangeOf, signal_id: UUID, body: CommentBody) -> Response:
    """Takes the signal into your hands."""
    actor = change.caller.actor
    return change.once(lambda conn: SignalDocument.of(insight.acknowledge(conn, actor, signal_id, body.comment)))


@router.post("/{signal_id}/close", response_model=SignalDocument)
def close(change: ChangeOf, signal_id: UUID, body: CommentBody) -> Response:
    """Closes the signal; if what it noticed comes back, it opens again."""
    actor = change.caller.actor
    return change.once(lambda conn: SignalDocument.of(insight.close(conn, actor, signal_id, body.comment)))


@router.post("/{signal_id}/label", response_model=SignalDocument)
def label(change: ChangeOf, signal_id: UUID, body: LabelBody) -> Response:
    """Says whether the signal was worth looking at; precision is counted from it."""
    actor = change.caller.actor
    return change.once(lambda conn: SignalDocument.of(insight.label(conn, actor, signal_id, body.label, body.comment)))
