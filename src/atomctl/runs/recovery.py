"""Finding work that nobody does any more: what dead workers held, and segments the engine has lost sight of.

The engine does not notice that a worker is gone. One worker at a time looks (an advisory lock), lists what the engine
says is taken, and puts back what is taken by nobody who is alive. Being put back wrongly costs an execution that the
fencing token refuses; nothing runs twice that is recorded.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import psycopg

from atomctl.db import queries
from atomctl.db.session import Sessions
from atomctl.runs import codes, segments
from atomctl.runs.engine import EngineState, EngineWork
from atomctl.runs.live import LiveSegments
from atomctl.runs.model import SegmentKey
from atomctl.runs.read import locked_run
from atomctl.runs.states import GIVEN_UP
from atomctl.runs.transition import Cause, move_run
from atomctl.telemetry.logs import get_logger

Connection = psycopg.Connection[dict[str, Any]]

_sql = queries.load(__file__)
_log = get_logger(__name__)

QUIET = timedelta(seconds=5)
"""A segment that was handed over and has not changed for this long is compared with the engine."""
ENOUGH = 3
"""Segments of one run that the engine lost, after which the run stops instead of going on."""
KEPT = timedelta(days=7)
"""How long the engine's own history of an ended segment is kept; ATOM's record does not depend on it."""

_BATCH = 200


class Engine(Protocol):
    """What recovery needs of the engine."""

    def unfinished(self) -> list[EngineWork]:
        """What workers have taken and not ended."""

    def find(self, engine_ids: Sequence[str]) -> dict[str, EngineWork]:
        """What the engine knows of these ids."""

    def recover(self, engine_ids: Iterable[str]) -> None:
        """The workflows are on the queue again."""

    def forget(self, before: datetime) -> int:
        """Deletes history that ended before `before` (UTC)."""


class Recovery:
    """Runs in every worker; whoever has the lock does the work of one look.

    Args:
        sessions: as `atom_worker`.
        engine: what is taken by whom.
        worker: this worker's id as the engine knows it.
        live: what this process is executing, so that a lost thread is told from a busy one.
        quiet: how long a segment must not have changed before it is compared with the engine, and how long it must be
            missing in the worker that the engine says is executing it.
    """

    def __init__(
        self, sessions: Sessions, engine: Engine, worker: str, live: LiveSegments, *, quiet: timedelta = QUIET
    ) -> None:
        self._sessions = sessions
        self._engine = engine
        self._worker = worker
        self._live = live
        self._quiet = quiet
        self._suspected: dict[str, float] = {}

    def look(self) -> int:
        """Puts back what nobody alive holds; how many segments. 0 also when another worker is looking."""
        with self._sessions.deployment() as conn:
            if not _sql.try_recovery_lock(conn):
                return 0
            taken = self._engine.unfinished()  # before the workers: one that joins in between is then among them
            alive = {str(row["id"]) for row in _sql.alive_workers(conn)}
            orphans = [work.engine_id for work in taken if work.worker_id not in alive]
            self._engine.recover(orphans)
            rows = list(_sql.quiet_segments(conn, quiet=self._quiet, count=_BATCH))
            quiet = [SegmentKey(row["tenant_id"], row["run_id"], row["number"]) for row in rows]
            stranded = self._stranded(quiet, time.monotonic())
        replaced = [segment for segment in stranded if self._replace(segment)]
        if orphans or replaced:
            _log.warning("segments.recovered", orphans=orphans, stranded=[segment.engine_id for segment in replaced])
        return len(orphans) + len(replaced)

    def forget_history(self) -> int:
        """Deletes the engine's history that is older than `KEPT`; how many workflows."""
        return self._engine.forget(datetime.now(UTC) - KEPT)

    def _stranded(self, quiet: Sequence[SegmentKey], now: float) -> list[SegmentKey]:
        """Segments the engine has ended or never had, although ATOM still waits for them.

        One that the engine believes to be in execution here counts only after it has not been for a while: between
        being taken from the queue and being claimed there are moments in which nobody executes it yet.
        """
        known = self._engine.find([segment.engine_id for segment in quiet])
        suspects = {s.engine_id for s in quiet if self._thread_is_gone(known.get(s.engine_id))}
        self._suspected = {id_: self._suspected.get(id_, now) for id_ in suspects}
        gone = {id_ for id_, since in self._suspected.items() if now - since >= self._quiet.total_seconds()}
        return [s for s in quiet if s.engine_id in gone or _is_over(known.get(s.engine_id))]

    def _thread_is_gone(self, work: EngineWork | None) -> bool:
        if work is None or work.state is not EngineState.TAKEN or work.worker_id != self._worker:
            return False
        return not self._live.executing(work.engine_id)

    def _replace(self, segment: SegmentKey) -> bool:
        """The run goes on in a new segment, or stops and says so when the engine has lost too many of its segments.

        False: the segment was closed meanwhile.
        """
        with self._sessions.tenant(segment.tenant_id) as conn:
            if not segments.give_up(conn, segment):
                return False
            lost: int = _sql.count_lost_segments(conn, tenant_id=segment.tenant_id, run_id=segment.run_id)
            if lost < ENOUGH:
                segments.make_ready(conn, segment.tenant_id, segment.run_id)
                return True
            run = locked_run(conn, segment.tenant_id, segment.run_id)
            why = f"the engine lost {lost} segments of this run; the worker's log says why"
            move_run(conn, run, GIVEN_UP[run.state], Cause(why=why, code=codes.ENGINE_GAVE_UP))
            return True


def _is_over(work: EngineWork | None) -> bool:
    return work is None or work.state is EngineState.ENDED
