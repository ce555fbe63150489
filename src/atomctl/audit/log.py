"""Reading the log: pages of entries, with the personal values that were not erased."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from atomctl.audit.leaf import entry_of
from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.db.session import Connection

PAGE = 100
_PAGE_AT_MOST = 1_000

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class LoggedEntry:
    """An entry with its place in the log.

    `personal` maps the fields whose value is stored to that value, or to None once it was erased.
    """

    index: int
    entry_id: UUID
    time: datetime.datetime
    entry: Mapping[str, Json]
    personal: Mapping[str, str | None]

    def to_json(self) -> dict[str, Json]:
        """The entry as a document, schema `atom.audit-entry/v1`; times in UTC."""
        return {
            "schema": "atom.audit-entry/v1",
            "index": self.index,
            "time": self.time.isoformat(),
            "entry": dict(self.entry),
            "personal": dict(self.personal),
        }


def list_entries(
    connection: Connection,
    tenant_id: UUID,
    *,
    before: int | None = None,
    run_id: UUID | None = None,
    subject: str | None = None,
    limit: int = PAGE,
) -> list[LoggedEntry]:
    """The newest entries first; the next page is the one `before` the last index of this one.

    What was recorded within the last moments may not be in the log yet; `waiting` says how much.

    Args:
        connection: a transaction of the tenant.
        tenant_id: whose log.
        before: only entries with a smaller index.
        run_id: only entries of this run.
        subject: only entries of this subject.
        limit: entries at most, 1 to 1,000.
    """
    rows = list(
        _sql.newest(
            connection,
            tenant_id=tenant_id,
            before=before,
            run_id=run_id,
            subject=subject,
            limit=max(1, min(limit, _PAGE_AT_MOST)),
        )
    )
    personal = _personal(connection, tenant_id, [row["entry_id"] for row in rows])
    return [
        LoggedEntry(
            row["entry_index"],
            row["entry_id"],
            row["sequenced_at"],
            entry_of(row["data"]),
            personal.get(row["entry_id"], {}),
        )
        for row in rows
    ]


def waiting(connection: Connection, tenant_id: UUID, *, run_id: UUID | None = None) -> int:
    """How many recorded entries are not in the log yet."""
    count: int = _sql.waiting(connection, tenant_id=tenant_id, run_id=run_id)
    return count


def _personal(connection: Connection, tenant_id: UUID, entry_ids: list[UUID]) -> dict[UUID, dict[str, str | None]]:
    values: dict[UUID, dict[str, str | None]] = {}
    for row in _sql.personal_of(connection, tenant_id=tenant_id, entry_ids=entry_ids):
        values.setdefault(row["entry_id"], {})[row["field"]] = row["value"]
    return values
