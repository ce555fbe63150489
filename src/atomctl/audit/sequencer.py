"""The sequencer: the one writer of the log. It leads while its session holds the lock, and stands by otherwise."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any
from uuid import UUID

import psycopg

from atomctl.audit.batch import move_batch
from atomctl.audit.checkpoint import origin_of
from atomctl.audit.codes import NOT_LEADING
from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.names import LogName
from atomctl.audit.note import Signer
from atomctl.audit.signing import sign_heads
from atomctl.db import queries
from atomctl.db.connections import SESSION, connect
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.telemetry import catalog, metrics
from atomctl.telemetry.logs import get_logger

LOCK = int.from_bytes(b"ATOM_AUD", "big")
"""The advisory lock of the leader; locks belong to a database, so every deployment has its own."""

BATCH = 2_000
_STAND_BY = timedelta(milliseconds=250)
_LONGEST_PAUSE = timedelta(seconds=5)

_log = get_logger(__name__)
_sql: Any = queries.load(__file__)


@contextmanager
def lead_once(connection: Connection) -> Iterator[None]:
    """Leads while the block lasts.

    Raises:
        AtomError: AUD718 another sequencer leads.
    """
    if not _sql.try_lead(connection, key=LOCK):
        raise AtomError(NOT_LEADING, "another session holds the sequencer's lock")
    try:
        yield
    finally:
        # A session that broke has lost the lock with itself.
        if not connection.closed:
            _sql.unlead(connection, key=LOCK)


class Sequencer:
    """Moves recorded entries into the log and signs its heads.

    Any number may run against one database; one leads. The lock lives in the very session that writes, so a leader that
    lost its session has lost the lock and cannot write.

    Args:
        dsn: how to reach the database as `atom_sequencer`.
        signer: the log's key.
        idle: how long it sleeps when the inbox has just become empty; five times that bounds the lag of a quiet log.
        checkpoint_every: the shortest time between two rounds of signing.
    """

    def __init__(
        self,
        dsn: str,
        signer: Signer,
        *,
        idle: timedelta = timedelta(milliseconds=20),
        checkpoint_every: timedelta = timedelta(seconds=1),
    ) -> None:
        self._dsn = dsn
        self._signer = signer
        self._idle = idle
        self._checkpoint_every = checkpoint_every

    def run(self, stop: threading.Event) -> None:
        """Leads or stands by until `stop` is set; a lost database is waited for. What was recorded stays recorded.

        Every entry that was committed when `stop` was set and this one led is in the log and signed at the end.
        """
        pause = _STAND_BY
        while not stop.is_set():
            try:
                with self._session() as connection:
                    pause = _STAND_BY
                    self._stand_by(connection, stop)
                    self._lead(connection, stop)
            except (psycopg.Error, AtomError) as error:
                _log.warning("sequencer.interrupted", error=str(error), again_in=pause.total_seconds())
                stop.wait(pause.total_seconds())
                pause = min(pause * 2, _LONGEST_PAUSE)

    def drain_once(self) -> int:
        """Moves and signs everything that is recorded now; the number of entries that waited.

        Raises:
            AtomError: AUD718 another sequencer leads, AUD716 the head moved, DBA001 nothing answers.
        """
        with self._session() as connection, lead_once(connection):
            return self._finish(connection)

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        connection = connect(self._dsn, options=SESSION, application_name="atomctl sequencer")
        try:
            yield connection
        finally:
            connection.close()

    def _stand_by(self, connection: Connection, stop: threading.Event) -> None:
        while not stop.is_set() and not _sql.try_lead(connection, key=LOCK):
            stop.wait(_STAND_BY.total_seconds())

    def _lead(self, connection: Connection, stop: threading.Event) -> None:
        if stop.is_set():
            return
        _log.info("sequencer.leads")
        metrics.set_to(catalog.AUDIT_LEADING, 1)
        try:
            unsigned, sign_at = True, monotonic()  # whoever led before may have left a head unsigned
            pause = self._idle
            while not stop.is_set():
                moved = self._move(connection)
                pause = self._idle if moved else min(pause * 1.2, self._idle * 5)
                unsigned = unsigned or moved > 0
                if unsigned and monotonic() >= sign_at:
                    self._sign(connection)
                    unsigned, sign_at = False, monotonic() + self._checkpoint_every.total_seconds()
                if moved < BATCH:
                    stop.wait(pause.total_seconds())
            self._finish(connection)
        finally:
            metrics.set_to(catalog.AUDIT_LEADING, 0)

    def _finish(self, connection: Connection) -> int:
        """Moves and signs all there is; the number of entries moved."""
        moved = self._move_all(connection)
        self._sign(connection)
        # Signing the tenants' heads recorded entries of the deployment, whose own head is signed last.
        self._move_all(connection)
        self._sign(connection)
        return moved

    def _move_all(self, connection: Connection) -> int:
        total = 0
        while moved := self._move(connection):
            total += moved
        return total

    def _move(self, connection: Connection) -> int:
        moved = move_batch(connection, functools.partial(self._origin_of, connection), BATCH)
        metrics.set_to(catalog.AUDIT_LAG, moved.lag.total_seconds())
        if moved.entries:
            metrics.increment(catalog.AUDIT_ENTRIES, moved.entries)
        return moved.entries

    def _sign(self, connection: Connection) -> None:
        for origin in sign_heads(connection, self._signer).refused:
            metrics.increment(catalog.AUDIT_HEADS_REFUSED)
            _log.error("audit.head_refused", origin=origin, code="AUD707", hint="atomctl audit verify")

    def _origin_of(self, connection: Connection, tenant_id: UUID) -> str:
        """The name of a log that begins now: in the deployment's epoch."""
        own = _sql.head(connection, tenant_id=DEPLOYMENT)
        if own is None:
            return origin_of(self._signer.public, tenant_id)
        return str(LogName.parse(own["origin"]).of(tenant_id))
