"""The relay: takes ready segments out of the outbox and puts them on the engine's queue.

Enqueue first, mark second: a relay that dies in between leaves a segment that the next one enqueues again under the
same id, which does nothing. `atom.take_ready_segments` gives a segment to one relay for five seconds, so that several
workers do not do the same work.
"""

from __future__ import annotations

import threading
from typing import Protocol

import psycopg

from atomctl.db import queries
from atomctl.db.address import DatabaseAddress
from atomctl.db.connections import SESSION, connect
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.runs.model import SegmentKey
from atomctl.runs.outage import is_outage
from atomctl.telemetry.logs import get_logger

_sql = queries.load(__file__)
_log = get_logger(__name__)

_BATCH = 100


class Submits(Protocol):
    """The one thing a relay needs of the engine."""

    def submit(self, segment: SegmentKey) -> None:
        """The segment is queued under its deterministic id; a repeat changes nothing."""


class Relay:
    """Wakes by NOTIFY, and every `poll` seconds in case a notice was missed.

    Args:
        sessions: as `atom_worker`.
        address: for the connection that listens, which is a session of its own.
        engine: where segments go.
        poll: seconds between two looks without a notice.
    """

    def __init__(self, sessions: Sessions, address: DatabaseAddress, engine: Submits, *, poll: float = 0.5) -> None:
        self._sessions = sessions
        self._address = address
        self._engine = engine
        self._poll = poll

    def run(self, stop: threading.Event) -> None:
        """Relays until `stop` is set, through any outage of the database."""
        while not stop.is_set():
            try:
                self._listen(stop)
            except (AtomError, psycopg.Error) as error:
                if not is_outage(error):
                    _log.exception("relay.failed")
                stop.wait(self._poll)

    def relay_once(self) -> int:
        """Enqueues what is ready, at most a hundred segments; how many."""
        with self._sessions.deployment() as conn:
            rows = list(_sql.take_ready_segments(conn, count=_BATCH))
        for row in rows:
            segment = SegmentKey(row["tenant_id"], row["run_id"], row["number"])
            self._engine.submit(segment)
            with self._sessions.tenant(segment.tenant_id) as conn:
                _sql.mark_enqueued(conn, tenant_id=segment.tenant_id, run_id=segment.run_id, number=segment.number)
        return len(rows)

    def _listen(self, stop: threading.Event) -> None:
        login = self._address.parameters(DatabaseRole.WORKER)
        with connect(**login, options=SESSION, application_name="atom-relay") as conn:
            conn.execute("LISTEN atom_segments")  # segments.CHANNEL; LISTEN takes no parameter
            while not stop.is_set():
                while self.relay_once() and not stop.is_set():
                    pass
                for _ in conn.notifies(timeout=self._poll, stop_after=1):
                    pass
