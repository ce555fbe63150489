"""Reads the registry's tables into values."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from atomctl.canonical import Digest
from atomctl.db import queries
from atomctl.errors import AtomError
from atomctl.registry import codes
from atomctl.registry.model import Coordinates, Mark, PackageRecord, RegisteredKey, RulesState, RulesVersion
from atomctl.trust.key_record import KeyRecord, KeyState

Connection = psycopg.Connection[dict[str, Any]]

sql: Any = queries.load(__file__)

_PACKAGE_FIELDS = (
    *("id", "tenant_id", "workflow_id", "name", "version", "digest", "manifest_digest", "manifest", "size"),
    *("object_key", "outcome", "score", "decision", "decision_digest", "verdict", "environment", "pushed_by"),
    *("pushed_at", "yanked_by", "yanked_at", "yank_reason"),
)
_KEY_FIELDS = ("key_id", "spki", "algorithm", "origin", "valid_from", "valid_to", "revoked_from", "reason")
_RULES_FIELDS = (
    *("id", "version", "document", "digest", "reason", "proposed_by", "proposed_at", "activated_at", "bootstrap"),
    "approval_id",
)


def find_package(conn: Connection, tenant_id: UUID, package_id: UUID) -> PackageRecord:
    """The package with this id.

    Raises:
        AtomError: REG401 the tenant has none.
    """
    row = sql.package_by_id(conn, tenant_id=tenant_id, id=package_id)
    if row is None:
        raise AtomError(codes.UNKNOWN_PACKAGE, f"no package {package_id}")
    return package(row)


def find_version(conn: Connection, tenant_id: UUID, coordinates: Coordinates) -> PackageRecord | None:
    """The package with this name and version, if the tenant has it."""
    row = sql.package_by_version(conn, tenant_id=tenant_id, name=coordinates.name, version=coordinates.version)
    return package(row) if row else None


def package(row: dict[str, Any]) -> PackageRecord:
    """A row of `packages` joined with its decision."""
    return PackageRecord(**{name: row[name] for name in _PACKAGE_FIELDS}, marks=frozenset(map(Mark, row["marks"])))


def key(row: dict[str, Any]) -> RegisteredKey:
    """A row of `signing_keys`."""
    fields = {name: row[name] for name in _KEY_FIELDS}
    record = KeyRecord(**fields, principal=str(row["owner_id"]), state=KeyState(row["state"]))
    return RegisteredKey(record, row["registered_by"], row["registered_at"])


def rules(row: dict[str, Any]) -> RulesVersion:
    """A row of `trust_rules`."""
    return RulesVersion(**{name: row[name] for name in _RULES_FIELDS}, state=RulesState(row["state"]))


def bundles_of(conn: Connection, record: PackageRecord) -> dict[Digest, bytes]:
    """The bundles a package came with, by digest."""
    rows = sql.bundles(conn, tenant_id=record.tenant_id, package_id=record.id)
    return {Digest(row["digest"]): bytes(row["data"]) for row in rows}


def authors_of(conn: Connection, record: PackageRecord) -> frozenset[UUID]:
    """Whoever pushed the package and whoever its signing keys belong to."""
    rows = sql.authors(conn, tenant_id=record.tenant_id, package_id=record.id)
    return frozenset(row["principal_id"] for row in rows)
