"""Segments in the database: asking for one, owning one, letting one go.

A worker's transaction begins with `held_run`. The row lock and the token make every write in it fenced: a takeover
waits for the transaction, and after it the old token holds nothing.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from atomctl.db import queries
from atomctl.runs.model import Claim, Run, SegmentKey, SegmentState
from atomctl.runs.rows import run_from

Connection = psycopg.Connection[dict[str, Any]]

CHANNEL = "atom_segments"
"""Notified when a segment becomes ready; a relay that misses it finds the row by polling."""

_sql = queries.load(__file__)


class LetGo(BaseException):
    """Leaves a segment without an outcome, for the worker that owns it now, or for the next one.

    Not an `Exception`: the engine would record one as the result of the step, and the replay of the rightful owner
    would then meet it.
    """


def make_ready(conn: Connection, tenant_id: UUID, run_id: UUID) -> None:
    """The run's next segment is in the outbox, and relays are told once the caller's transaction commits."""
    _sql.insert_segment(conn, tenant_id=tenant_id, run_id=run_id)
    _sql.announce_segment(conn)


def claim(conn: Connection, segment: SegmentKey, worker_id: UUID) -> Claim | None:
    """The segment belongs to this worker and every earlier owner is fenced off; None if it has been closed."""
    token = _sql.claim_segment(conn, worker_id=worker_id, **_key(segment))
    return None if token is None else Claim(segment, token, worker_id)


def held_run(conn: Connection, claim: Claim) -> Run:
    """The run of the claimed segment; until the transaction ends nobody else can own the one or change the other.

    Raises:
        LetGo: somebody else owns the segment, or it was closed.
    """
    row = _sql.held_run(conn, token=claim.token, **_key(claim.segment))
    if row is None:
        raise LetGo(f"{claim.segment.engine_id} is not owned under token {claim.token} any more")
    return run_from(row)


def close(conn: Connection, segment: SegmentKey) -> None:
    """The segment is done."""
    _sql.close_segment(conn, after=SegmentState.DONE, before=[SegmentState.RUNNING], **_key(segment))


def give_up(conn: Connection, segment: SegmentKey) -> bool:
    """The segment is marked as lost to the engine; False if it was closed meanwhile."""
    before = [SegmentState.ENQUEUED, SegmentState.RUNNING]
    changed: int = _sql.close_segment(conn, after=SegmentState.LOST, before=before, **_key(segment))
    return changed == 1


def withdraw(conn: Connection, tenant_id: UUID, run_id: UUID) -> bool:
    """Segments that no worker has claimed will never run; whether there was one."""
    changed: int = _sql.close_waiting_segments(conn, tenant_id=tenant_id, run_id=run_id)
    return changed > 0


def _key(segment: SegmentKey) -> dict[str, Any]:
    return {"tenant_id": segment.tenant_id, "run_id": segment.run_id, "number": segment.number}
