"""Publishing: verify, unpack, assess, store. All of it or nothing.

The rows are one transaction. The bytes lie under their digest in the object store before the rows refer to them: should
the transaction fail, an unreferenced object is left that the next push of the same bytes finds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.audit.model import Entry, Result
from atomctl.audit.record import record
from atomctl.canonical import digest
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore
from atomctl.policy.assessment import assess
from atomctl.registry import codes
from atomctl.registry.coordinates import checked, claimed_coordinates, require_same
from atomctl.registry.model import Coordinates, PackageRecord, Published, PublishRefusedError
from atomctl.registry.rows import Connection, find_version, sql
from atomctl.registry.storing import Upload, object_key, store
from atomctl.registry.trusted import highest_accepted, read_trusted
from atomctl.trust.verify import Verdict
from atomctl.wpk.archive import unpack


def push(
    sessions: Sessions,
    objects: ObjectStore,
    actor: Actor,
    *,
    data: bytes,
    bundles: Sequence[bytes],
    now: datetime,
    environment: str,
    coordinates: Coordinates | None = None,
) -> Published:
    """`publish` in a transaction of its own; a refusal is recorded in another one, with the verdict.

    Raises:
        AtomError: as `publish`.
    """
    try:
        with sessions.tenant(actor.tenant_id) as conn:
            return publish(
                conn,
                objects,
                actor,
                data=data,
                bundles=bundles,
                now=now,
                environment=environment,
                coordinates=coordinates,
            )
    except PublishRefusedError as refusal:
        record_refusal(sessions, actor, refusal)
        raise


def record_refusal(sessions: Sessions, actor: Actor, refusal: PublishRefusedError) -> None:
    """Commits the audit entry of a refused push, with the verdict; the push itself was rolled back."""
    with sessions.tenant(actor.tenant_id) as conn:
        record(conn, actor.tenant_id, _refusal_entry(actor, refusal))


def publish(
    conn: Connection,
    objects: ObjectStore,
    actor: Actor,
    *,
    data: bytes,
    bundles: Sequence[bytes],
    now: datetime,
    environment: str,
    coordinates: Coordinates | None = None,
) -> Published:
    """The package, stored for ever under its name and version; the same bytes again change nothing.

    A package decided `block` is stored too, so that an override can bind to it; it is not run without one. The decision
    made here comes from the package alone.

    Args:
        conn: the caller's transaction; it must be rolled back when this raises.
        objects: where the bytes go.
        actor: who pushes.
        data: the archive.
        bundles: the signature bundles, in any order.
        now: the clock (UTC).
        environment: whose trust rules apply.
        coordinates: the name and version it is pushed as; by default what its bundles or its manifest say.

    Raises:
        PublishRefusedError: AUT020 may not publish; TRU2xx not trusted; REG409 the version exists with other bytes;
            REG410 the manifest says another name or version; REG411 nothing says which; WPK1xx not a package.
    """
    upload = Upload(actor, data, digest(data), tuple(dict.fromkeys(bundles)), now, environment)
    verdict: Verdict | None = None
    wanted = coordinates
    try:
        require(actor, Verb.PUBLISH, Resource.PACKAGE)
        wanted = checked(coordinates or claimed_coordinates(data, upload.bundles))
        workflow_id = _lock_workflow(conn, actor.tenant_id, wanted.name)
        verdict = _verify(conn, upload, wanted, workflow_id)
        verdict.raise_if_refused()
        existing = find_version(conn, actor.tenant_id, wanted)
        if existing is not None and existing.digest != upload.digest:
            raise AtomError(codes.CONFLICT, f"{wanted} is {existing.digest}, this is {upload.digest}")
        package = unpack(data)
        require_same(package, wanted)
        assessment = assess(package, environment=environment, today=now.date())
    except AtomError as error:
        raise PublishRefusedError(error, upload.digest, wanted, verdict) from error
    if existing is None:
        objects.put(object_key(upload.digest), data)
        store(conn, upload, workflow_id, package, verdict=verdict, assessment=assessment)
    stored = find_version(conn, actor.tenant_id, wanted)
    assert stored is not None  # it was there, or was inserted just now
    record(conn, actor.tenant_id, _entry(stored, upload, verdict, created=existing is None))
    return Published(stored, verdict, assessment, created=existing is None)


def _lock_workflow(conn: Connection, tenant_id: UUID, name: str) -> UUID:
    """The workflow's id; other pushes of this name wait until this transaction ends, and then see what it did."""
    sql.insert_workflow(conn, tenant_id=tenant_id, id=new_id(), name=name)
    workflow_id: UUID = sql.lock_workflow(conn, tenant_id=tenant_id, name=name)
    return workflow_id


def _verify(conn: Connection, upload: Upload, wanted: Coordinates, workflow_id: UUID) -> Verdict:
    tenant_id = upload.actor.tenant_id
    # A version that is there is not pushed again as something older: its bytes are the same, or it is a conflict.
    there = find_version(conn, tenant_id, wanted) is not None
    return read_trusted(conn, tenant_id).verdict(
        upload.digest,
        upload.bundles,
        wanted,
        environment=upload.environment,
        now=upload.now,
        highest_accepted={} if there else highest_accepted(conn, tenant_id, workflow_id),
    )


def _entry(stored: PackageRecord, upload: Upload, verdict: Verdict, *, created: bool) -> Entry:
    return Entry(
        action="package.publish",
        subject=f"package/{stored.coordinates}",
        actor=upload.actor.principal_id,
        digests={"package": stored.digest, "manifest": stored.manifest_digest, "decision": stored.decision_digest},
        detail={
            "id": str(stored.id),
            "created": created,
            "outcome": stored.outcome,
            "score": stored.score,
            "verdict": verdict.to_json(),
        },
    )


def _refusal_entry(actor: Actor, refusal: PublishRefusedError) -> Entry:
    return Entry(
        action="package.publish",
        subject=f"package/{refusal.coordinates or refusal.digest}",
        result=Result.REFUSED,
        actor=actor.principal_id,
        digests={"package": refusal.digest},
        code=refusal.code.id,
        why=refusal.why[:1000],
        detail={"verdict": refusal.verdict.to_json()} if refusal.verdict else {},
    )
