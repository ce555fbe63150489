"""`/approvals`: what waits for votes, and the votes."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Response

from atomctl.access.permissions import Resource, Verb, require
from atomctl.approvals import service as approvals
from atomctl.approvals.model import Approval, State, SubjectKind
from atomctl.approvals.rows import read_approval
from atomctl.db.session import Connection
from atomctl.server.acting import CallerOf
from atomctl.server.changing import ChangeOf
from atomctl.server.documents.approvals import ApprovalDocument, ApprovalPage, VoteBody
from atomctl.server.documents.base import Reasoned
from atomctl.server.pages import PagingOf
from atomctl.telemetry import catalog, metrics
from atomctl.wiring import follow_approval

router = APIRouter(prefix="/approvals", tags=["approvals"])


@router.get("")
def list_approvals(
    caller: CallerOf, paging: PagingOf, state: State | None = None, kind: SubjectKind | None = None
) -> ApprovalPage:
    """Approvals, the newest request first."""
    actor = caller.actor
    for each in SubjectKind if kind is None else (kind,):
        require(actor, Verb.READ, each.resource)
    with caller.transaction() as conn:
        found = approvals.list_approvals(
            conn, actor.tenant_id, state=state, kind=kind, after=paging.key(UUID), limit=paging.fetch
        )
    page, following = paging.cut(found, lambda approval: approval.id)
    return ApprovalPage(items=[ApprovalDocument.of(approval, actor) for approval in page], next=following)


@router.get("/{approval_id}")
def show_approval(caller: CallerOf, approval_id: UUID) -> ApprovalDocument:
    """One approval: what it is bound to, what is demanded, who voted."""
    actor = caller.actor
    with caller.reading(Resource.RUN_APPROVAL) as conn:
        approval = read_approval(conn, actor.tenant_id, approval_id)
    require(actor, Verb.READ, approval.subject_kind.resource)
    return ApprovalDocument.of(approval, actor)


@router.post("/{approval_id}/votes", response_model=ApprovalDocument)
def vote(change: ChangeOf, approval_id: UUID, body: VoteBody) -> Response:
    """Votes. What the decision leads to happens in the same transaction."""
    actor = change.caller.actor

    def do(conn: Connection) -> ApprovalDocument:
        before = read_approval(conn, actor.tenant_id, approval_id)
        after = approvals.vote(conn, actor, approval_id, body.choice, body.comment)
        return ApprovalDocument.of(_followed(conn, before, after), actor)

    return change.once(do)


@router.post("/{approval_id}/withdraw", response_model=ApprovalDocument)
def withdraw(change: ChangeOf, approval_id: UUID, body: Reasoned) -> Response:
    """Withdraws what you requested."""
    actor = change.caller.actor

    def do(conn: Connection) -> ApprovalDocument:
        before = read_approval(conn, actor.tenant_id, approval_id)
        after = approvals.withdraw(conn, actor, approval_id, body.reason)
        return ApprovalDocument.of(_followed(conn, before, after), actor)

    return change.once(do)


def _followed(conn: Connection, before: Approval, after: Approval) -> Approval:
    """Does what the decision leads to, if this was it."""
    if after.state is before.state:
        return after
    follow_approval(conn, after)
    outcome = "voided" if after.state is State.VOID else after.state.value
    metrics.increment(catalog.APPROVALS, kind=after.subject_kind.value, outcome=outcome)
    return after
