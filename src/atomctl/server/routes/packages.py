"""`/packages`: publish, show, take out of use, lift a block."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from atomctl.access.permissions import Resource
from atomctl.db.session import Connection
from atomctl.errors import AtomError, ExitCode
from atomctl.registry import service as registry
from atomctl.registry.model import Coordinates, PublishRefusedError
from atomctl.server import codes
from atomctl.server.acting import CallerOf
from atomctl.server.changing import Answer, ChangeOf
from atomctl.server.documents.approvals import ApprovalDocument
from atomctl.server.documents.base import Reasoned
from atomctl.server.documents.packages import (
    BundleItem,
    BundlesDocument,
    PackageDocument,
    PackagePage,
    PackageSummary,
    PushBody,
)
from atomctl.server.pages import PagingOf
from atomctl.telemetry import catalog, metrics
from atomctl.trust import codes as trust_codes

router = APIRouter(prefix="/packages", tags=["packages"])

_VERDICTS = {ExitCode.UNSIGNED: "unsigned", ExitCode.UNTRUSTED: "untrusted", ExitCode.TAMPERED: "tampered"}
_VERDICTS_BY_CODE = {trust_codes.KEY_REVOKED: "revoked", trust_codes.ROLLBACK: "rollback"}


def coordinates(name: str, version: str) -> Coordinates:
    """The version a path names."""
    return Coordinates(name, version)


At = Annotated[Coordinates, Depends(coordinates)]


@router.post("", status_code=201, response_model=PackageDocument, responses={200: {"model": PackageDocument}})
def push(change: ChangeOf, body: PushBody) -> Response:
    """Publishes a signed package: 201 when it is new, 200 when the same bytes were there.

    A package that is decided `block` is stored, and its `state` says so; it is not run without an override.
    """
    return change.once(lambda conn: _publish(conn, change, body))


@router.get("")
def list_packages(caller: CallerOf, paging: PagingOf, name: str | None = None) -> PackagePage:
    """Versions, the newest push first; of one workflow if `name` is given."""
    with caller.reading(Resource.PACKAGE) as conn:
        found = registry.list_packages(
            conn, caller.actor.tenant_id, name=name, after=paging.key(UUID), limit=paging.fetch
        )
    page, following = paging.cut(found, lambda record: record.id)
    return PackagePage(items=[PackageSummary.of(record) for record in page], next=following)


@router.get("/{name}/{version}")
def show_package(caller: CallerOf, at: At) -> PackageDocument:
    """One version with its verdict and manifest."""
    with caller.reading(Resource.PACKAGE) as conn:
        return PackageDocument.of(registry.show(conn, caller.actor.tenant_id, at))


@router.get("/{name}/{version}/report", response_class=Response)
def show_report(caller: CallerOf, at: At) -> Response:
    """The canonical report made when it was pushed, byte for byte (`atom.report/v1`)."""
    with caller.reading(Resource.PACKAGE) as conn:
        data = registry.report(conn, registry.show(conn, caller.actor.tenant_id, at))
    return Response(data, media_type="application/json")


@router.get("/{name}/{version}/archive", response_class=Response)
def download(caller: CallerOf, at: At) -> Response:
    """The published bytes, exactly as they were signed."""
    with caller.reading(Resource.PACKAGE) as conn:
        record = registry.show(conn, caller.actor.tenant_id, at)
    data = registry.archive(caller.services.objects, record)
    headers = {
        "ETag": f'"{record.digest}"',
        "Content-Disposition": f'attachment; filename="{at.name}-{at.version}.wpk"',
    }
    return Response(data, media_type="application/x-tar", headers=headers)


@router.get("/{name}/{version}/bundles")
def show_bundles(caller: CallerOf, at: At) -> BundlesDocument:
    """The signature bundles it came with."""
    with caller.reading(Resource.PACKAGE) as conn:
        bundles = registry.bundles_of(conn, registry.show(conn, caller.actor.tenant_id, at))
    items = [BundleItem(digest=digest, bundle=data.decode(errors="replace")) for digest, data in bundles.items()]
    return BundlesDocument(items=items)


@router.post("/{name}/{version}/yank", response_model=PackageDocument)
def yank(change: ChangeOf, at: At, body: Reasoned) -> Response:
    """Takes a version out of use for ever; its bytes and history stay."""
    actor = change.caller.actor
    return change.once(lambda conn: PackageDocument.of(registry.yank(conn, actor, at, body.reason)))


@router.post("/{name}/{version}/override", status_code=201, response_model=ApprovalDocument)
def override(change: ChangeOf, at: At, body: Reasoned) -> Response:
    """Asks for an override of a block: one admin and one security vote, for 24 hours."""
    actor = change.caller.actor
    return change.once(
        lambda conn: Answer(ApprovalDocument.of(registry.request_override(conn, actor, at, body.reason), actor), 201)
    )


@router.post("/{name}/{version}/exception", status_code=201, response_model=ApprovalDocument)
def exception(change: ChangeOf, at: At, body: Reasoned) -> Response:
    """Asks for an exception to run a version older than the newest accepted one, for 24 hours."""
    actor = change.caller.actor
    return change.once(
        lambda conn: Answer(ApprovalDocument.of(registry.request_exception(conn, actor, at, body.reason), actor), 201)
    )


def archive_of(text: str) -> bytes:
    """The bytes behind base64.

    Raises:
        AtomError: API012 it is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AtomError(codes.INVALID, "body.archive: not base64") from error


def _publish(conn: Connection, change: ChangeOf, body: PushBody) -> Answer:
    wanted = Coordinates(body.name, body.version) if body.name is not None and body.version is not None else None
    services = change.caller.services
    try:
        published = registry.publish(
            conn,
            services.objects,
            change.caller.actor,
            data=archive_of(body.archive),
            bundles=[bundle.encode() for bundle in body.bundles],
            now=datetime.now(UTC),
            environment=services.settings.environment,
            coordinates=wanted,
        )
    except PublishRefusedError as refusal:
        verdict = _VERDICTS_BY_CODE.get(refusal.code) or _VERDICTS.get(refusal.code.exit, catalog.OTHER)
        metrics.increment(catalog.PUBLISH_VERDICTS, verdict=verdict)
        raise
    metrics.increment(catalog.PUBLISH_VERDICTS, verdict="accepted")
    metrics.increment(catalog.DECISIONS, outcome=published.package.outcome)
    created = published.created
    return Answer(PackageDocument.of(published.package, created), 201 if created else 200)
