"""Requesting, voting, voiding, expiring. Each runs in the caller's transaction, with its audit entry.

What follows a decision (a run goes on, a package is marked) is done by the caller in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from atomctl.access import four_eyes
from atomctl.access.model import Actor
from atomctl.access.permissions import Verb, require
from atomctl.approvals import codes, states, tally
from atomctl.approvals.model import Approval, Choice, State, SubjectKind
from atomctl.approvals.rows import Connection, read_approval, read_approvals, sql
from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.canonical import Digest, Json
from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.policy.votes import VoteRequirement

LIFETIME_LIMIT = timedelta(days=31)
VOTES_LIMIT = 32
TEXT_LIMIT = 2000
"""Characters kept of a reason or a comment."""


def request(
    conn: Connection,
    actor: Actor,
    *,
    subject_kind: SubjectKind,
    subject_digest: Digest,
    subject_ref: UUID,
    bound: Mapping[str, Digest],
    requirement: Sequence[VoteRequirement],
    excluded: Iterable[UUID],
    reason: str,
    lifetime: timedelta,
) -> Approval:
    """A pending approval of the subject. Asking for the very same again returns the open one.

    Whether the actor may ask is the caller's question: it depends on the subject.

    Raises:
        AtomError: APR507 the subject has an open approval that demands something else; APR508 no vote or no time.
    """
    needed = tally.votes_needed(requirement)
    if not 1 <= needed <= VOTES_LIMIT or not timedelta(seconds=1) <= lifetime <= LIFETIME_LIMIT:
        raise AtomError(codes.EMPTY, f"{needed} votes within {lifetime} were asked for")
    approval_id = new_id()
    row = sql.insert_approval(
        conn,
        tenant_id=actor.tenant_id,
        id=approval_id,
        subject_kind=subject_kind.value,
        subject_digest=subject_digest,
        subject_ref=subject_ref,
        bound=Jsonb(dict(bound)),
        requirement=Jsonb([{"role": need.role, "count": need.count} for need in requirement]),
        votes_needed=needed,
        reason=reason[:TEXT_LIMIT],
        requested_by=actor.principal_id,
        lifetime=lifetime,
    )
    if row is None:
        open_one = newest(conn, actor.tenant_id, subject_kind, subject_digest)
        assert open_one is not None  # the insert has just met it
        return _if_same(open_one, bound, requirement)
    sql.insert_exclusions(conn, tenant_id=actor.tenant_id, approval_id=approval_id, principals=sorted(set(excluded)))
    approval = read_approval(conn, actor.tenant_id, approval_id)
    _audit(conn, approval, "approval.request", by=actor.principal_id, excluded=_texts(approval.excluded))
    return approval


def vote(conn: Connection, actor: Actor, approval_id: UUID, choice: Choice, comment: str = "") -> Approval:
    """The approval with the actor's vote. The same vote again changes nothing.

    The row is locked, so votes on one approval are counted one after another. One rejection ends it.

    Raises:
        AtomError: APR501 unknown, AUT020 no role that votes on this, APR502 not a second person, APR503 no role that
            is still demanded, APR504 voted the other way, APR505 decided, APR506 expired.
    """
    locked = sql.lock_approval(conn, tenant_id=actor.tenant_id, id=approval_id)
    approval = read_approval(conn, actor.tenant_id, approval_id)
    require(actor, Verb.VOTE, approval.subject_kind.resource)
    if not four_eyes.may_vote(actor.principal_id, requester=approval.requested_by, excluded=approval.excluded):
        raise AtomError(codes.NOT_SECOND_PERSON, "you requested it, or are among its authors")
    earlier = approval.vote_of(actor.principal_id)
    if earlier is not None:
        if earlier.choice is choice:
            return approval
        raise AtomError(codes.ALREADY_VOTED, f"you voted {earlier.choice} at {earlier.voted_at.isoformat()}")
    _check_open(approval, locked["now"])
    _check_counts(approval, actor, choice)
    sql.insert_vote(
        conn,
        tenant_id=actor.tenant_id,
        approval_id=approval_id,
        principal_id=actor.principal_id,
        choice=choice.value,
        roles=sorted(role.value for role in actor.roles),
        comment=comment[:TEXT_LIMIT],
    )
    return _settle(conn, actor, approval_id, choice, comment)


def void(conn: Connection, tenant_id: UUID, approval_id: UUID, *, actor: UUID | None, why: str) -> Approval:
    """The approval, which counts no more; one that is rejected, expired or void already stays as it is.

    Raises:
        AtomError: APR501 the tenant has none with this id.
    """
    changed = sql.void(conn, tenant_id=tenant_id, id=approval_id, outcome=why[:TEXT_LIMIT])
    approval = read_approval(conn, tenant_id, approval_id)
    if changed:
        _audit(conn, approval, "approval.void", by=actor, why=why[:TEXT_LIMIT])
    return approval


def void_of(conn: Connection, tenant_id: UUID, kind: SubjectKind, subject_ref: UUID, *, why: str) -> list[Approval]:
    """Voids every pending or granted approval of a subject that has changed."""
    rows = list(sql.open_of_ref(conn, tenant_id=tenant_id, subject_kind=kind.value, subject_ref=subject_ref))
    return [void(conn, tenant_id, row["id"], actor=None, why=why) for row in rows]


def withdraw(conn: Connection, actor: Actor, approval_id: UUID, reason: str) -> Approval:
    """Voids what the actor requested.

    Raises:
        AtomError: APR501 unknown, APR502 somebody else requested it, APR505 it is decided.
    """
    sql.lock_approval(conn, tenant_id=actor.tenant_id, id=approval_id)
    approval = read_approval(conn, actor.tenant_id, approval_id)
    if approval.requested_by != actor.principal_id:
        raise AtomError(codes.NOT_REQUESTER, "somebody else requested it")
    if approval.state is not State.PENDING:
        raise AtomError(codes.DECIDED, f"it is {approval.state}")
    return void(conn, actor.tenant_id, approval_id, actor=actor.principal_id, why=f"withdrawn: {reason}")


def expire_due(conn: Connection, tenant_id: UUID, now: datetime) -> list[Approval]:
    """Expires what is pending and overdue at `now` (UTC), and returns it so that the caller can act on it."""
    ids = [row["id"] for row in sql.expire_due(conn, tenant_id=tenant_id, now=now)]
    expired = read_approvals(conn, tenant_id, ids)
    for approval in expired:
        _audit(conn, approval, "approval.expire", by=None)
    return expired


def newest(conn: Connection, tenant_id: UUID, kind: SubjectKind, subject_digest: Digest) -> Approval | None:
    """The newest approval of exactly this subject, in whatever state."""
    row = sql.newest_of_subject(conn, tenant_id=tenant_id, subject_kind=kind.value, subject_digest=subject_digest)
    return read_approval(conn, tenant_id, row["id"]) if row else None


def list_approvals(
    conn: Connection,
    tenant_id: UUID,
    *,
    state: State | None = None,
    kind: SubjectKind | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Approval]:
    """The next `limit` approvals behind `after`, newest first."""
    rows = sql.page(conn, tenant_id=tenant_id, state=_text(state), subject_kind=_text(kind), after=after, limit=limit)
    return read_approvals(conn, tenant_id, [row["id"] for row in rows])


def _if_same(approval: Approval, bound: Mapping[str, Digest], requirement: Sequence[VoteRequirement]) -> Approval:
    if dict(approval.bound) != dict(bound) or approval.requirement != tuple(requirement):
        raise AtomError(codes.DIFFERENT, f"approval {approval.id} is open")
    return approval


def _check_open(approval: Approval, now: datetime) -> None:
    if approval.state is State.EXPIRED or states.overdue(approval, now):
        raise AtomError(codes.EXPIRED, f"it could be voted on until {approval.expires_at.isoformat()}")
    if approval.state is not State.PENDING:
        raise AtomError(codes.DECIDED, f"it is {approval.state}")


def _check_counts(approval: Approval, actor: Actor, choice: Choice) -> None:
    if choice is Choice.APPROVE and not tally.adds(
        approval.requirement, approval.approving(), actor.principal_id, actor.roles
    ):
        wanted = ", ".join(need.role or "any" for need in tally.missing(approval.requirement, approval.approving()))
        raise AtomError(codes.WRONG_ROLE, f"still demanded: {wanted}; your roles: {', '.join(sorted(actor.roles))}")


def _settle(conn: Connection, actor: Actor, approval_id: UUID, choice: Choice, comment: str) -> Approval:
    approval = read_approval(conn, actor.tenant_id, approval_id)
    why = comment[:TEXT_LIMIT] or None
    state = states.after_vote(approval)
    if state is not approval.state:
        outcome = why if state is State.REJECTED else None
        sql.decide(conn, tenant_id=actor.tenant_id, id=approval_id, state=state.value, outcome=outcome)
        approval = read_approval(conn, actor.tenant_id, approval_id)
    roles: list[Json] = [role.value for role in sorted(actor.roles)]
    _audit(conn, approval, "approval.vote", by=actor.principal_id, why=why, choice=choice.value, roles=roles)
    return approval


def _audit(
    conn: Connection, approval: Approval, action: str, *, by: UUID | None, why: str | None = None, **detail: Json
) -> None:
    entry = Entry(
        action=action,
        subject=f"approval/{approval.id}",
        actor=by,
        run_id=approval.subject_ref if approval.subject_kind is SubjectKind.RUN else None,
        digests={"subject": approval.subject_digest, **approval.bound},
        why=why,
        detail={"kind": approval.subject_kind.value, "state": approval.state.value, **detail},
    )
    record(conn, approval.tenant_id, entry)


def _text(value: State | SubjectKind | None) -> str | None:
    return None if value is None else value.value


def _texts(ids: Iterable[UUID]) -> list[Json]:
    return [str(item) for item in sorted(ids)]
