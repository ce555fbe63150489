"""Reading what was published, taking it out of use, and checking it again before it is used."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.approvals.model import SubjectKind
from atomctl.audit.model import Entry
from atomctl.audit.record import record as record_entry
from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore
from atomctl.registry import codes, rows
from atomctl.registry.lifting import standing
from atomctl.registry.model import Coordinates, PackageRecord, Workflow
from atomctl.registry.reasons import written
from atomctl.registry.rows import Connection, find_package, find_version, sql
from atomctl.registry.trusted import highest_accepted, read_trusted
from atomctl.trust.verify import Verdict
from atomctl.trust.versions import Version
from atomctl.wpk.archive import Package, unpack


def list_packages(
    conn: Connection, tenant_id: UUID, *, name: str | None = None, after: UUID | None = None, limit: int = 50
) -> list[PackageRecord]:
    """The next `limit` versions behind `after`, newest push first; of one workflow if `name` is given."""
    return [rows.package(row) for row in sql.packages(conn, tenant_id=tenant_id, name=name, after=after, limit=limit)]


def list_workflows(conn: Connection, tenant_id: UUID, *, after: str | None = None, limit: int = 50) -> list[Workflow]:
    """The next `limit` workflows behind the name `after`, by name."""
    found = sql.workflows(conn, tenant_id=tenant_id, name=None, after=after, limit=limit)
    return [_workflow(conn, tenant_id, row) for row in list(found)]


def show_workflow(conn: Connection, tenant_id: UUID, name: str) -> Workflow:
    """One workflow.

    Raises:
        AtomError: REG402 the tenant has none of this name.
    """
    found = list(sql.workflows(conn, tenant_id=tenant_id, name=name, after=None, limit=1))
    if not found:
        raise AtomError(codes.UNKNOWN_WORKFLOW, f"no workflow {name[:80]!r}")
    return _workflow(conn, tenant_id, found[0])


def show(conn: Connection, tenant_id: UUID, coordinates: Coordinates) -> PackageRecord:
    """One version.

    Raises:
        AtomError: REG401 the tenant has none of this name and version.
    """
    found = find_version(conn, tenant_id, coordinates)
    if found is None:
        raise AtomError(codes.UNKNOWN_PACKAGE, f"no package {str(coordinates)[:200]!r}")
    return found


def newest(conn: Connection, tenant_id: UUID, name: str) -> PackageRecord:
    """The highest version of a workflow that is neither yanked nor blocked without an override.

    Raises:
        AtomError: REG401 there is none.
    """
    accepted = sql.accepted_versions(conn, tenant_id=tenant_id, workflow_id=show_workflow(conn, tenant_id, name).id)
    for version in sorted((row["version"] for row in accepted), key=Version.parse, reverse=True):
        record = show(conn, tenant_id, Coordinates(name, version))
        if record.yanked_at is None:
            return record
    raise AtomError(codes.UNKNOWN_PACKAGE, f"no version of {name} may be run")


def report(conn: Connection, record: PackageRecord) -> bytes:
    """The canonical report that was made when the package was pushed, byte for byte."""
    return bytes(sql.report(conn, tenant_id=record.tenant_id, package_id=record.id))


def archive(objects: ObjectStore, record: PackageRecord) -> bytes:
    """The published bytes.

    Raises:
        AtomError: OBJ003 they are gone, REG413 the store holds other bytes under their key.
    """
    data = objects.get(record.object_key)
    if digest(data) != record.digest:
        raise AtomError(codes.SWAPPED, f"{record.coordinates} is {record.digest}, the store holds {digest(data)}")
    return data


def load_package(
    conn: Connection, objects: ObjectStore, tenant_id: UUID, package_id: UUID
) -> tuple[PackageRecord, Package]:
    """A version and what it holds, unpacked from bytes whose digest is the published one.

    Raises:
        AtomError: REG401 unknown, OBJ003 the bytes are gone, REG413 they were swapped.
    """
    record = find_package(conn, tenant_id, package_id)
    return record, unpack(archive(objects, record))


def yank(conn: Connection, actor: Actor, coordinates: Coordinates, reason: str) -> PackageRecord:
    """The version, never to be run again; its bytes and history stay. Yanking it again changes nothing.

    Raises:
        AtomError: AUT020 may not yank, REG401 unknown, REG415 no reason.
    """
    require(actor, Verb.YANK, Resource.PACKAGE)
    why = written(reason)
    record = show(conn, actor.tenant_id, coordinates)
    if sql.yank_package(conn, tenant_id=actor.tenant_id, id=record.id, yanked_by=actor.principal_id, reason=why):
        entry = Entry(
            action="package.yank",
            subject=f"package/{coordinates}",
            actor=actor.principal_id,
            digests={"package": record.digest},
            why=why,
        )
        record_entry(conn, actor.tenant_id, entry)
    return show(conn, actor.tenant_id, coordinates)


def verify_now(
    conn: Connection,
    tenant_id: UUID,
    record: PackageRecord,
    *,
    environment: str | None = None,
    now: datetime | None = None,
) -> Verdict:
    """Verifies a published version again, with the rules and keys of this moment and the bundles it came with.

    The time it was pushed is the one trusted time: a key that ended later does not take it back, unless it was revoked
    from before. An older version than the newest accepted one of its major line needs an approved exception.

    Args:
        conn: the transaction of the tenant.
        tenant_id: whose package it is.
        record: the version.
        environment: where it is to be used; by default where it was pushed.
        now: the clock (UTC); by default this moment.

    Raises:
        AtomError: REG412 it was yanked.
    """
    if record.yanked_at is not None:
        raise AtomError(codes.YANKED, f"{record.coordinates} was yanked: {record.yank_reason}")
    time = now or datetime.now(UTC)
    highest = highest_accepted(conn, tenant_id, record.workflow_id)
    if standing(conn, record, SubjectKind.EXCEPTION, time):
        highest.pop(Version.parse(record.version).major, None)
    return read_trusted(conn, tenant_id).verdict(
        record.digest,
        list(rows.bundles_of(conn, record).values()),
        record.coordinates,
        environment=environment or record.environment,
        now=time,
        accepted_at=record.pushed_at,
        highest_accepted=highest,
    )


def _workflow(conn: Connection, tenant_id: UUID, row: dict[str, Any]) -> Workflow:
    versions = list(sql.versions_of(conn, tenant_id=tenant_id, workflow_id=row["id"]))
    usable = [version["version"] for version in versions if not version["yanked"]]
    latest = max(usable, key=Version.parse, default=None)
    return Workflow(row["id"], row["name"], row["created_at"], len(versions), latest)
