"""Watching series: asks Prometheus for the points since the last look, judges them, and raises signals.

Prometheus is asked while no transaction is open. The judged points, the position behind them and the signals commit
together, and only if no other worker has judged them meanwhile: nothing is forgotten and nothing judged twice. While
Prometheus is away, or answers nonsense, the last good state stays as it is, and afterwards the points of that time
are asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Protocol

from psycopg.types.json import Json as JsonText

from atomctl.db import queries
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError
from atomctl.insight import judging
from atomctl.insight.matrix import Line, Span
from atomctl.insight.model import EVIDENCE, Candidate
from atomctl.insight.series import Past
from atomctl.insight.series_state import from_document, to_document
from atomctl.insight.service import raise_signal
from atomctl.insight.watches import Watch
from atomctl.runs import outage
from atomctl.telemetry import catalog, metrics
from atomctl.telemetry.logs import get_logger

PAUSE = timedelta(seconds=2)
"""Between two looks at which watches are due."""

SETTLED = timedelta(seconds=5)
"""A point is asked for so much after its time: what is scraped then has arrived."""

_log = get_logger(__name__)
_sql: Any = queries.load(__file__)


class Ranges(Protocol):
    """Where series come from."""

    def range(self, expression: str, span: Span) -> tuple[Line, ...]:
        """The series of the expression on the points of the span.

        Raises:
            AtomError: INS8xx there is no usable answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the database knows of a watch: the newest judged point, -1 for none at all, and the pasts."""

    position: int
    pasts: Mapping[str, Past] | None


class Watchman:
    """Looks at each watch when a point of it is due.

    Args:
        sessions: connections of the worker's role, closed when the watching ends.
        source: who is asked: the Prometheus of the settings.
        watches: what is watched.
        clock: seconds since 1970.
    """

    def __init__(
        self, sessions: Sessions, source: Ranges, watches: Sequence[Watch], clock: Callable[[], float] = time.time
    ) -> None:
        self._sessions, self._source, self._watches, self._clock = sessions, source, tuple(watches), clock
        self._patient_until: dict[Watch, float] = {}

    def run(self, stop: threading.Event) -> None:
        """Watches until `stop` is set; a lost database and a lost Prometheus are waited for."""
        with self._sessions:
            while not stop.is_set():
                self.round(stop)
                stop.wait(PAUSE.total_seconds())

    def round(self, stop: threading.Event | None = None) -> int:
        """One look at each watch that is due; how many signals were raised or repeated.

        A watch that could not be looked at is not tried again before its next point, and keeps no other away.
        """
        raised = 0
        for watch in self._watches:
            if stop is not None and stop.is_set():
                break
            if self._clock() >= self._patient_until.get(watch, 0.0):
                raised += self._tried(watch)
        return raised

    def _tried(self, watch: Watch) -> int:
        self._patient_until[watch] = self._clock() + min(watch.every, timedelta(minutes=1)).total_seconds() / 2
        try:
            return self._look(watch)
        except AtomError as error:
            metrics.increment(catalog.PROMETHEUS_PROBES, outcome="failed")
            _log.warning("insight.watch_failed", watch=watch.name, code=error.code.id, why=error.why)
        except Exception as error:  # noqa: BLE001 - one watch's odd row must not blind the others
            if outage.is_outage(error):
                _log.warning("database.away", loop="watches")
            else:
                _log.exception("insight.failed", what="watch", watch=watch.name)
        return 0

    def _look(self, watch: Watch) -> int:
        with self._sessions.tenant(watch.tenant_id) as conn:
            kept = _kept(conn, watch)
        span = judging.due(
            watch, kept.position if kept.pasts is not None else None, self._clock() - SETTLED.total_seconds()
        )
        if span is None:
            return 0
        answer = self._source.range(watch.promql, span)
        pasts, found = judging.judge(watch, kept.pasts, answer, span, after=kept.position)
        with self._sessions.tenant(watch.tenant_id) as conn:
            if not _moved(conn, watch, kept.position, span.last, pasts):
                return 0
            raised = sum(
                raise_signal(conn, watch.tenant_id, _with_runs(conn, watch, each)) is not None for each in found
            )
        metrics.increment(catalog.PROMETHEUS_PROBES, outcome="exceeded" if found else "quiet")
        return raised


def _kept(conn: Connection, watch: Watch) -> _Kept:
    row = _sql.watch(conn, tenant_id=watch.tenant_id, name=watch.name)
    if row is None:
        return _Kept(-1, None)
    pasts = from_document(row["document"], watch.definition, watch.rule)
    if pasts is None:
        _log.warning("insight.watch_begins_anew", watch=watch.name)
    return _Kept(row["position"], pasts)


def _moved(conn: Connection, watch: Watch, before: int, position: int, pasts: Mapping[str, Past]) -> bool:
    document = JsonText(to_document(pasts, watch.definition))
    row = _sql.move_watch(
        conn, tenant_id=watch.tenant_id, name=watch.name, position=position, document=document, before=before
    )
    return row is not None


def _with_runs(conn: Connection, watch: Watch, found: Candidate) -> Candidate:
    """The candidate with the runs that were at work in its window, which are its evidence."""
    first, last = found.window
    rows = _sql.runs_between(
        conn, tenant_id=watch.tenant_id, first=first, last=last, workflow=watch.workflow, count=EVIDENCE
    )
    return replace(found, evidence=tuple(row["id"] for row in rows))
