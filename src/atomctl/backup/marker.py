"""The marker: a named point in the write-ahead log, and exactly what the database held there.

For a moment nobody writes: a lock on every table waits for the writers in hand and keeps out new ones. In that moment
a restore point is written and a snapshot taken; then everybody goes on, and the rows are counted in the snapshot at
leisure. So the counts are those of the restore point to the row, and writers wait for each other, not for counting.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from psycopg import errors

from atomctl.backup import codes
from atomctl.backup.facts import Connection, stored_facts
from atomctl.backup.lsn import parse_lsn
from atomctl.backup.model import Facts
from atomctl.db import queries
from atomctl.errors import AtomError

_sql: Any = queries.load(__file__)
_PATIENCE = "300ms"
"""Well below deadlock_timeout (1 s): the marker gives way before PostgreSQL would end a writer that waits for it."""
_PAUSE = 0.2
_GIVE_UP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Marked:
    """The marker: its LSN, its moment in UTC, and what the database held."""

    lsn: int
    at: datetime.datetime
    facts: Facts


def place_marker(connect: Callable[[], Connection], name: str) -> Marked:
    """Writes the restore point `name`.

    Args:
        connect: opens a connection of the backup role.
        name: of the restore point, at most 63 bytes.

    Raises:
        AtomError: BAK020 somebody wrote all the time.
    """
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    with connect() as holder, connect() as reader:
        while True:
            try:
                return _mark(holder, reader, name)
            except errors.LockNotAvailable as error:
                if time.monotonic() > deadline:
                    raise AtomError(codes.NEVER_STILL, f"no still moment within {_GIVE_UP_SECONDS:.0f} s") from error
                time.sleep(_PAUSE)


def _mark(holder: Connection, reader: Connection, name: str) -> Marked:
    with reader.transaction():
        reader.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        with holder.transaction():
            _sql.hold_still(holder, patience=_PATIENCE)
            lsn = parse_lsn(_sql.mark(holder, name=name))
            moment = _sql.take_snapshot(reader)["taken_at"]
        return Marked(lsn, moment.astimezone(datetime.UTC), stored_facts(reader))
