"""The rows a published package leaves: itself, its authors, bundles, report and decision."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from atomctl.access.model import Actor
from atomctl.canonical import Digest, digest, digest_json, raw_digest
from atomctl.db.ids import new_id
from atomctl.policy.assessment import Assessment
from atomctl.policy.decision import Outcome
from atomctl.registry.rows import Connection, sql
from atomctl.registry.trusted import highest_accepted
from atomctl.trust.verify import Verdict
from atomctl.trust.versions import Version
from atomctl.wpk.archive import Package
from atomctl.wpk.manifest import read_manifest


@dataclass(frozen=True, slots=True)
class Upload:
    """What came in, who sent it, when and where."""

    actor: Actor
    data: bytes
    digest: Digest
    bundles: tuple[bytes, ...]
    now: datetime
    environment: str


def object_key(package: Digest) -> str:
    """Where the object store keeps the bytes with this digest."""
    name = raw_digest(package).hex()
    return f"packages/{name[:2]}/{name}"


def store(
    conn: Connection, upload: Upload, workflow_id: UUID, package: Package, *, verdict: Verdict, assessment: Assessment
) -> None:
    """Inserts a new version with all that came with it; it is the newest of its major line unless it is blocked."""
    tenant_id, package_id = upload.actor.tenant_id, new_id()
    version = package.manifest.version
    sql.insert_package(
        conn,
        tenant_id=tenant_id,
        id=package_id,
        workflow_id=workflow_id,
        name=package.manifest.name,
        version=version,
        major=Version.parse(version).major,
        digest=upload.digest,
        manifest_digest=digest(package.manifest_bytes),
        manifest=Jsonb(read_manifest(package.manifest_bytes).value),
        size=len(upload.data),
        object_key=object_key(upload.digest),
        outcome=assessment.decision.outcome.value,
        score=assessment.risk.score,
        verdict=Jsonb(verdict.to_json()),
        environment=upload.environment,
        pushed_by=upload.actor.principal_id,
        pushed_at=upload.now,
    )
    _store_bundles(conn, tenant_id, package_id, upload.bundles)
    _store_decision(conn, tenant_id, package_id, assessment)
    _store_authors(conn, upload.actor, package_id, verdict)
    if assessment.decision.outcome is not Outcome.BLOCK:
        raise_accepted(conn, tenant_id, workflow_id, version)


def raise_accepted(conn: Connection, tenant_id: UUID, workflow_id: UUID, version: str) -> None:
    """Makes `version` the highest accepted one of its major line, if it is."""
    new = Version.parse(version)
    highest = highest_accepted(conn, tenant_id, workflow_id).get(new.major)
    if highest is None or Version.parse(highest) < new:
        line: dict[str, Any] = {"tenant_id": tenant_id, "workflow_id": workflow_id, "major": new.major}
        sql.accept_version(conn, **line, version=version)


def _store_decision(conn: Connection, tenant_id: UUID, package_id: UUID, assessment: Assessment) -> None:
    report_id = new_id()
    package = {"tenant_id": tenant_id, "package_id": package_id}
    sql.insert_report(conn, **package, id=report_id, digest=assessment.digest, data=assessment.report)
    document = assessment.decision.to_json()
    sql.insert_decision(
        conn,
        **package,
        id=new_id(),
        report_id=report_id,
        outcome=assessment.decision.outcome.value,
        digest=digest_json(document),
        document=Jsonb(document),
    )


def _store_bundles(conn: Connection, tenant_id: UUID, package_id: UUID, bundles: Iterable[bytes]) -> None:
    """Every bundle of the push, counted or not: all of them were here at the one trusted time, and none comes later."""
    for data in bundles:
        sql.insert_bundle(conn, tenant_id=tenant_id, package_id=package_id, digest=digest(data), data=data)


def _store_authors(conn: Connection, actor: Actor, package_id: UUID, verdict: Verdict) -> None:
    authors = [(actor.principal_id, "pushed")]
    authors += [(UUID(signer.principal), "signed") for signer in verdict.signers if signer.principal is not None]
    for principal_id, how in authors:
        sql.insert_author(conn, tenant_id=actor.tenant_id, package_id=package_id, principal_id=principal_id, how=how)
