"""Who is alive: a heartbeat and a session advisory lock per worker, on a connection of its own.

The lock tells at once that a process is gone (the server ends the session of a killed one); the heartbeat tells that a
process is stopped or cut off, which keeps its lock. Both are judged by how long *this* worker has seen them unchanged
on its own clock, so neither clocks that differ nor a restart of PostgreSQL, which drops every lock, make anybody dead.

A wrong verdict costs time and no correctness: whoever is declared dead is fenced off by the tokens of its segments.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from atomctl.canonical import sha256
from atomctl.db import queries
from atomctl.db.address import DatabaseAddress
from atomctl.db.connections import SESSION, connect
from atomctl.db.roles import DatabaseRole

_sql = queries.load(__file__)

BEAT = timedelta(milliseconds=400)
"""Between two heartbeats."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long an unchanged heartbeat is tolerated."""

    unlocked: timedelta = timedelta(milliseconds=1200)
    """With the lock free: three missed beats."""
    locked: timedelta = timedelta(seconds=10)
    """With the lock held: the lease. A worker stopped for longer loses its segments."""


@dataclass(slots=True)
class Observer:
    """Pure judgement: when each worker's heartbeat was last seen to change, on one monotonic clock (seconds)."""

    patience: Patience = field(default_factory=Patience)
    _seen: dict[UUID, tuple[int, float]] = field(default_factory=dict)

    def note(self, beats: Mapping[UUID, int], now: float) -> None:
        """Takes one look at everybody; who is not in it is forgotten."""
        self._seen = {
            worker: (beat, self._seen[worker][1] if self._seen.get(worker, (None, 0))[0] == beat else now)
            for worker, beat in beats.items()
        }

    def quiet(self, now: float) -> list[tuple[UUID, int]]:
        """Workers unchanged long enough to be dead if their lock is free, with the beat that was seen."""
        return [(w, beat) for w, (beat, since) in self._seen.items() if now - since >= self._unlocked]

    def expired(self, worker: UUID, now: float) -> bool:
        """Whether its lease is over, lock or no lock."""
        _, since = self._seen[worker]
        return now - since >= self.patience.locked.total_seconds()

    def forget(self) -> None:
        """Starts afresh, after a time in which nothing could be seen."""
        self._seen.clear()

    @property
    def _unlocked(self) -> float:
        return self.patience.unlocked.total_seconds()


@dataclass(frozen=True, slots=True)
class Membership:
    """What one beat found."""

    member: bool
    """False: this worker has been declared dead and must not go on under this id."""
    died: tuple[UUID, ...] = ()
    """Workers that this one has just declared dead."""


class Member:
    """This worker's place among the others. Not thread-safe: one thread beats.

    Args:
        address: the database; the role is `atom_worker`.
        worker_id: fresh for each process.
        facts: `host`, `pid`, `version`, `isolation`, as the row in `workers` shows them.
    """

    def __init__(
        self, address: DatabaseAddress, worker_id: UUID, facts: Mapping[str, Any], patience: Patience | None = None
    ) -> None:
        self._address = address
        self.worker_id = worker_id
        self._facts = facts
        self._observer = Observer(patience or Patience())
        self._conn: psycopg.Connection[dict[str, Any]] | None = None

    def join(self) -> None:
        """The worker's row says ALIVE and its lock is held.

        Raises:
            AtomError: DBA001 the database cannot be reached.
        """
        conn = self._connection()
        _sql.insert_worker(conn, id=self.worker_id, **self._facts)

    def beat(self) -> Membership:
        """One heartbeat and one look at the others.

        Raises:
            AtomError: DBA001 the database cannot be reached; the next call connects again and locks again.
            psycopg.Error: the connection broke.
        """
        try:
            conn = self._connection()
            if _sql.beat(conn, id=self.worker_id) == 0:
                return Membership(member=False)
            now = time.monotonic()
            self._observer.note({row["id"]: row["beat"] for row in _sql.alive_workers(conn)}, now)
            return Membership(member=True, died=tuple(self._bury(conn, now)))
        except BaseException:
            self.close()
            raise

    def leave(self) -> None:
        """The row says LEFT and the lock is free; what this worker held is free to be recovered at once."""
        try:
            _sql.leave(self._connection(), id=self.worker_id)
        finally:
            self.close()

    def _bury(self, conn: psycopg.Connection[dict[str, Any]], now: float) -> list[UUID]:
        died = []
        for worker, beat in self._observer.quiet(now):
            if worker == self.worker_id or not (self._observer.expired(worker, now) or _lock_is_free(conn, worker)):
                continue
            # Guarded by the beat that was seen: a heartbeat that comes now wins, and of two observers one.
            if _sql.end_worker(conn, id=worker, state="DEAD", beat=beat):
                died.append(worker)
        return died

    def _connection(self) -> psycopg.Connection[dict[str, Any]]:
        if self._conn is None or self._conn.closed:
            self._observer.forget()
            login = self._address.parameters(DatabaseRole.WORKER)
            self._conn = connect(**login, options=SESSION, application_name="atom-membership")
            self._conn.execute("SELECT pg_advisory_lock(%s)", [lock_key(self.worker_id)])
        return self._conn

    def close(self) -> None:
        """The lock is free and nothing else has changed: what becomes of a worker that is killed."""
        conn, self._conn = self._conn, None
        if conn is not None:
            conn.close()


def lock_key(worker_id: UUID) -> int:
    """The advisory lock of a worker, as PostgreSQL's signed 64 bits."""
    return int.from_bytes(sha256(b"atom worker " + worker_id.bytes)[:8], "big", signed=True)


def _lock_is_free(conn: psycopg.Connection[dict[str, Any]], worker: UUID) -> bool:
    with conn.transaction():
        row = conn.execute("SELECT pg_try_advisory_xact_lock(%s) AS free", [lock_key(worker)]).fetchone()
    return bool(row and row["free"])
