"""What the database knows of backups: a row for each set and drill, and an entry in the deployment's log."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from atomctl.audit.model import DEPLOYMENT, Entry, Result
from atomctl.audit.record import record
from atomctl.backup.lsn import lsn_text
from atomctl.backup.model import Statement
from atomctl.backup.shelf import Shelved
from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Newest:
    """When what counts happened last, UTC; None where it never did.

    Attributes:
        taken_at: the marker of the newest set that is still there.
        drilled_at: the last drill that passed.
        tried_at: the last drill, passed or not.
        rpo: seconds of work the last drill's newest set would have lost, if that drill passed.
        rto: seconds the last drill's newest set took to be usable, if that drill passed.
        now: the database's clock.
    """

    taken_at: datetime | None
    drilled_at: datetime | None
    tried_at: datetime | None
    rpo: float | None
    rto: float | None
    now: datetime


class Ledger:
    """Writes and reads the rows, as the worker's role.

    Args:
        address: the database.
    """

    def __init__(self, address: DatabaseAddress) -> None:
        self._address = address

    def note_taken(self, taken: Shelved, shelved: Sequence[Shelved], there: Collection[UUID]) -> None:
        """Afterwards the set, and whatever else is on the shelf, has its row, and the log an entry about the set.

        A set that has a row and vanished from the store is noted as lost.

        Args:
            taken: the new set.
            shelved: all sets whose statements can be trusted; a restored database does not know them all.
            there: the ids of all sets in the store.

        Raises:
            AtomError: DBA0xx the database does not answer; nothing was noted.
        """
        with self._transaction() as connection:
            for item in (taken, *shelved):
                _sql.insert_backup(connection, **_row(item))
            for row in list(_sql.set_lost(connection, there=list(there))):
                why = "it is no longer in the object store, and nobody let it go"
                lost = Entry(action="backup.lost", subject=f"backup/{row['id']}", result=Result.FAILED, why=why)
                record(connection, DEPLOYMENT, lost)
            statement = taken.statement
            entry = Entry(
                action="backup.create",
                subject=f"backup/{statement.id}",
                digests={"statement": taken.digest, "manifest": statement.manifest},
                detail=summary(statement),
            )
            record(connection, DEPLOYMENT, entry)

    def note_failed(self, action: str, error: AtomError) -> None:
        """Afterwards the log says that it did not work, and why.

        Raises:
            AtomError: DBA0xx the database does not answer.
        """
        with self._transaction() as connection:
            entry = Entry(
                action=action, subject="backup/none", result=Result.FAILED, code=error.code.id, why=error.why[:1000]
            )
            record(connection, DEPLOYMENT, entry)

    def note_verified(self, sets: Iterable[Shelved]) -> None:
        """Afterwards the rows say when the sets were read whole.

        Raises:
            AtomError: DBA0xx the database does not answer.
        """
        with self._transaction() as connection:
            for item in sets:
                _sql.insert_backup(connection, **_row(item))
                _sql.set_verified(connection, id=item.statement.id)

    def note_removed(self, set_id: UUID) -> None:
        """Afterwards the row and the log say that retention let the set go.

        Raises:
            AtomError: DBA0xx the database does not answer.
        """
        with self._transaction() as connection:
            _sql.set_removed(connection, id=set_id)
            record(connection, DEPLOYMENT, Entry(action="backup.remove", subject=f"backup/{set_id}"))

    def note_drill(self, report: dict[str, Json]) -> None:
        """Afterwards the drill has its row, and the log an entry.

        Args:
            report: the document `atom.backup-drill/v1`.

        Raises:
            AtomError: DBA0xx the database does not answer.
        """
        with self._transaction() as connection:
            _sql.insert_drill(
                connection,
                id=report["name"],
                started_at=report["started_at"],
                passed=report["passed"],
                rpo=report["rpo_seconds"],
                rto=report["rto_seconds"],
                report=json.dumps(report),
            )
            entry = Entry(
                action="backup.drill",
                subject=f"drill/{report['name']}",
                result=Result.OK if report["passed"] else Result.FAILED,
                detail=report,
            )
            record(connection, DEPLOYMENT, entry)

    def newest(self) -> Newest:
        """When what counts happened last.

        Raises:
            AtomError: DBA0xx the database does not answer.
        """
        with self._transaction() as connection:
            return newest(connection)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        opened = Sessions(self._address, DatabaseRole.WORKER, min_size=0, max_size=1, name="atomctl backup")
        with opened as sessions, sessions.tenant(DEPLOYMENT) as connection:
            yield connection


def newest(connection: Connection) -> Newest:
    """When what counts happened last, as any serving role may read it."""
    return Newest(**_sql.newest(connection))


def summary(statement: Statement) -> dict[str, Json]:
    """What an audit entry and a list say about a set."""
    return {
        "kind": statement.kind.value,
        "taken_at": statement.taken_at.isoformat(),
        "size": statement.size,
        "parent": str(statement.parent.id) if statement.parent else None,
        "server_version": statement.server.version,
        "wal": {"start": lsn_text(statement.span.start), "end": lsn_text(statement.span.end)},
        "rows": sum(statement.facts.rows.values()),
        "audit_size": statement.facts.audit.size,
        "audit_root": statement.facts.audit.root,
        "key": statement.key.key_id,
    }


def _row(item: Shelved) -> dict[str, Any]:
    statement = item.statement
    return {
        "id": statement.id,
        "kind": statement.kind.value,
        "parent_id": statement.parent.id if statement.parent else None,
        "taken_at": statement.taken_at,
        "size": statement.size,
        "statement": item.digest,
        "key_id": statement.key.key_id,
        "version": statement.server.version,
        "start_lsn": lsn_text(statement.span.start),
        "end_lsn": lsn_text(statement.span.end),
    }
