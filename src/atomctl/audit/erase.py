"""Erasing a person from the log: values and salts go, entries, commitments and proofs stay as they are."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.db.session import Connection

_sql: Any = queries.load(__file__)


def erase_value(connection: Connection, tenant_id: UUID, value: str, *, actor: UUID | None, why: str) -> int:
    """Erases every occurrence of a personal value in the tenant's log, and records that it was done.

    Afterwards nobody, the operator included, can say what the commitments stood for. Idempotent: the second time it
    finds nothing, and records that too. Touches `personal_values` and `audit_inbox`.

    Args:
        connection: a transaction of the tenant.
        tenant_id: whose log.
        value: the exact value, such as an e-mail address. It is not repeated in the entry.
        actor: who asked for it.
        why: on whose request or which ground, without naming the person.

    Returns:
        How many values were erased.
    """
    erased: list[Json] = [str(row["entry_id"]) for row in _sql.erase_personal(connection, value=value)]
    record(
        connection,
        tenant_id,
        Entry(
            action="audit.erase",
            subject=f"tenant/{tenant_id}",
            actor=actor,
            why=why,
            detail={"values": len(erased), "entries": erased},
        ),
    )
    return len(erased)
