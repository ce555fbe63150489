"""Lifting a refusal of the registry by votes: the override of a block, the exception for an older version.

Both bind to the package, hold for 24 hours after the last vote, and mark the version for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from atomctl.access.model import Actor
from atomctl.access.permissions import Verb, require
from atomctl.approvals import service as approvals
from atomctl.approvals.model import Approval, State, SubjectKind
from atomctl.audit.model import Entry
from atomctl.audit.record import record as record_entry
from atomctl.canonical import Digest, digest_json
from atomctl.errors import AtomError
from atomctl.policy.decision import OVERRIDE_LIFETIME, OVERRIDE_VOTES
from atomctl.policy.votes import SECURITY, VoteRequirement
from atomctl.registry import codes
from atomctl.registry.model import Coordinates, Mark, PackageRecord, PackageState
from atomctl.registry.reasons import written
from atomctl.registry.rows import Connection, authors_of, find_package, find_version, sql
from atomctl.registry.storing import raise_accepted

VALIDITY: timedelta = OVERRIDE_LIFETIME
EXCEPTION_VOTES = (VoteRequirement(SECURITY, 1),)
_MARKS: Mapping[SubjectKind, Mark] = {
    SubjectKind.OVERRIDE: Mark.OVERRIDDEN,
    SubjectKind.EXCEPTION: Mark.EXCEPTION,
}


def request_override(conn: Connection, actor: Actor, coordinates: Coordinates, reason: str) -> Approval:
    """A pending approval to run a blocked version all the same: one admin and one security vote.

    Neither the requester nor an author of the package can vote.

    Raises:
        AtomError: AUT020 may not ask, REG401 unknown, REG412 yanked, REG414 it is not blocked, REG415 no reason.
    """
    record = _usable(conn, actor, coordinates, SubjectKind.OVERRIDE)
    if record.state is not PackageState.BLOCKED:
        raise AtomError(codes.NOT_BLOCKED, f"{coordinates} was decided {record.outcome}")
    return _request(conn, actor, record, kind=SubjectKind.OVERRIDE, requirement=OVERRIDE_VOTES, reason=reason)


def request_exception(conn: Connection, actor: Actor, coordinates: Coordinates, reason: str) -> Approval:
    """A pending approval to run a version older than the newest accepted one: a vote of security.

    Raises:
        AtomError: AUT020 may not ask, REG401 unknown, REG412 yanked, REG415 no reason.
    """
    record = _usable(conn, actor, coordinates, SubjectKind.EXCEPTION)
    return _request(conn, actor, record, kind=SubjectKind.EXCEPTION, requirement=EXCEPTION_VOTES, reason=reason)


def standing(conn: Connection, record: PackageRecord, kind: SubjectKind, now: datetime) -> Approval | None:
    """The approval that lifts the refusal of this version at `now` (UTC), if there is one in force."""
    approval = approvals.newest(conn, record.tenant_id, kind, _subject(record, kind))
    if approval is None or approval.state is not State.APPROVED or approval.decided_at is None:
        return None
    return approval if now < approval.decided_at + VALIDITY else None


def follow(conn: Connection, approval: Approval) -> None:
    """What a decided override or exception leads to: once approved, the version is marked for ever."""
    if approval.state is not State.APPROVED:
        return
    record = find_package(conn, approval.tenant_id, approval.subject_ref)
    mark = _MARKS[approval.subject_kind]
    sql.mark_package(conn, tenant_id=record.tenant_id, id=record.id, mark=mark.value)
    if approval.subject_kind is SubjectKind.OVERRIDE:
        raise_accepted(conn, record.tenant_id, record.workflow_id, record.version)
    entry = Entry(
        action="package.mark",
        subject=f"package/{record.coordinates}",
        digests={"package": record.digest, "decision": record.decision_digest},
        detail={"mark": mark.value, "approval": str(approval.id)},
    )
    record_entry(conn, record.tenant_id, entry)


def _usable(conn: Connection, actor: Actor, coordinates: Coordinates, kind: SubjectKind) -> PackageRecord:
    require(actor, Verb.REQUEST, kind.resource)
    record = find_version(conn, actor.tenant_id, coordinates)
    if record is None:
        raise AtomError(codes.UNKNOWN_PACKAGE, f"no package {str(coordinates)[:200]!r}")
    if record.state is PackageState.YANKED:
        raise AtomError(codes.YANKED, f"{coordinates} was yanked: {record.yank_reason}")
    return record


def _request(
    conn: Connection,
    actor: Actor,
    record: PackageRecord,
    *,
    kind: SubjectKind,
    requirement: tuple[VoteRequirement, ...],
    reason: str,
) -> Approval:
    return approvals.request(
        conn,
        actor,
        subject_kind=kind,
        subject_digest=_subject(record, kind),
        subject_ref=record.id,
        bound=_bound(record),
        requirement=requirement,
        excluded=authors_of(conn, record),
        reason=written(reason),
        lifetime=VALIDITY,
    )


def _bound(record: PackageRecord) -> dict[str, Digest]:
    return {"package": record.digest, "decision": record.decision_digest}


def _subject(record: PackageRecord, kind: SubjectKind) -> Digest:
    return digest_json({"kind": kind.value, **_bound(record)})
