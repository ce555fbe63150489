"""What a database holds: rows of each table, and the audit logs' heads, as stored and as recomputed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from atomctl.audit.merkle import CompactRange, extend, leaf_hash
from atomctl.audit.model import DEPLOYMENT
from atomctl.backup.model import AuditFacts, Facts
from atomctl.canonical import digest_json
from atomctl.db import queries

_sql: Any = queries.load(__file__)
_PAGE = 2_000

Connection = psycopg.Connection[dict[str, Any]]
Head = tuple[UUID, int, bytes]
"""Tenant, size and root of a log."""


def stored_facts(connection: Connection) -> Facts:
    """Exact rows of every table, and the heads as the sequencer left them.

    Args:
        connection: the backup role's, in a transaction with one snapshot.
    """
    return Facts(_rows(connection), audit_facts(_heads(connection)))


def recomputed_facts(connection: Connection) -> Facts:
    """The same, but each log's size and root are computed anew from the bytes of its entries.

    Args:
        connection: the backup role's, in a transaction.
    """
    return Facts(_rows(connection), audit_facts(_computed_heads(connection)))


def audit_facts(heads: Iterable[Head]) -> AuditFacts:
    """The logs in a few numbers; pure."""
    logs = sorted(heads, key=lambda head: str(head[0]))
    own = next((head for head in logs if head[0] == DEPLOYMENT), None)
    return AuditFacts(
        logs=len(logs),
        size=sum(size for _, size, _ in logs),
        root=digest_json([[str(tenant), size, root.hex()] for tenant, size, root in logs]),
        deployment_size=own[1] if own else 0,
        deployment_root=own[2].hex() if own else "",
    )


def differences(stated: Facts, found: Facts) -> list[str]:
    """What is not as the statement says, a line for each; pure."""
    tables = sorted(set(stated.rows) | set(found.rows))
    lines = [
        f"{table} has {found.rows.get(table, 'no')} rows, the statement says {stated.rows.get(table, 'none')}"
        for table in tables
        if stated.rows.get(table) != found.rows.get(table)
    ]
    if stated.audit != found.audit:
        lines.append(
            f"the audit logs have {found.audit.size} entries in {found.audit.logs} logs with root {found.audit.root},"
            f" the statement says {stated.audit.size} in {stated.audit.logs} with {stated.audit.root}"
        )
    return lines


def _rows(connection: Connection) -> dict[str, int]:
    counted = {}
    for table in [row["name"] for row in _sql.tables(connection)]:
        statement = sql.SQL("SELECT count(*) AS rows FROM {}").format(sql.Identifier("atom", table))
        row = connection.execute(statement).fetchone()
        assert row is not None, "an aggregate without GROUP BY gives one row"
        counted[table] = int(row["rows"])
    return counted


def _heads(connection: Connection) -> Iterator[Head]:
    for row in _sql.heads(connection):
        yield row["tenant_id"], row["size"], bytes(row["root"])


def _computed_heads(connection: Connection) -> Iterator[Head]:
    """Every log that has a head or an entry; entries are read in pages, so that a log may be of any length."""
    for tenant, rows in itertools.groupby(_entries(connection), key=lambda row: row["tenant_id"]):
        tree = extend(CompactRange(), (leaf_hash(bytes(row["data"])) for row in rows))
        yield tenant, tree.size, tree.root


def _entries(connection: Connection) -> Iterator[dict[str, Any]]:
    with connection.cursor(name="backup_entries") as cursor:
        cursor.itersize = _PAGE
        cursor.execute("SELECT tenant_id, data FROM atom.audit_entries ORDER BY tenant_id, entry_index")
        yield from cursor
