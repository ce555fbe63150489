"""Reads the runs of a tenant up to a watermark: one transaction and one server-side cursor for each day."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from atomctl.canonical import Json
from atomctl.dataset import codes
from atomctl.dataset.ahead import batches_ahead, reading_ahead
from atomctl.dataset.excerpt import SIDE, no_log, read_excerpt
from atomctl.dataset.model import Census, Order, Row
from atomctl.dataset.record import Record, assemble, record_from, risk_from
from atomctl.dataset.rejection import RejectedError
from atomctl.dataset.stages import Sources
from atomctl.dataset.trailing import WINDOW, Trailing
from atomctl.db import queries
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore

_FETCH = 500
_LAST = 2**63 - 1
_OPEN_END = datetime.datetime(9999, 12, 31, tzinfo=datetime.UTC)
_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class DaySource:
    """What the rows of a day are made of; valid as long as its transaction."""

    records: Iterator[Record]
    sources: Sources
    trailing: Trailing


class RunReader:
    """Reads one tenant, bound to it by row level security."""

    def __init__(self, sessions: Sessions, objects: ObjectStore, tenant_id: UUID) -> None:
        self._sessions, self._objects, self._tenant_id = sessions, objects, tenant_id

    def watermark(self, order: Order) -> int | None:
        """The order's watermark, or the last entry of a run in its days; None if no run ended in them.

        Raises:
            AtomError: DAT808 the log does not reach the order's watermark.
        """
        with self._sessions.tenant(self._tenant_id) as conn:
            size = _sql.log_size(conn, tenant_id=self._tenant_id) or 0
            if order.watermark is not None and order.watermark >= size:
                raise AtomError(codes.AHEAD, f"the log has {size} entries, the watermark is {order.watermark}")
            if order.watermark is not None:
                return order.watermark
            last: int | None = _sql.watermark(conn, **self._days(order))
        return last

    def census(self, order: Order, watermark: int | None) -> tuple[Census, ...]:
        """The days of the order that have runs up to the watermark, the first one first."""
        if watermark is None:
            return ()
        with self._sessions.tenant(self._tenant_id) as conn:
            return tuple(Census(**_tupled(row)) for row in _sql.census(conn, **self._days(order), watermark=watermark))

    def _days(self, order: Order) -> dict[str, Any]:
        return {"tenant_id": self._tenant_id, "start": midnight(order.since), "end": end_of(order)}

    @contextmanager
    def day(self, day: datetime.date, watermark: int, *, logs: bool = True) -> Iterator[DaySource]:
        """The day's runs in the order in which they ended, read as they are asked for; with or without logs."""
        start = midnight(day)
        within: dict[str, Any] = {
            "tenant_id": self._tenant_id,
            "start": start,
            "end": start + datetime.timedelta(days=1),
        }
        with self._sessions.tenant(self._tenant_id) as conn:
            before = _sql.durations_before(conn, **within, watermark=watermark, count=WINDOW)
            trailing = Trailing({row["workflow"]: row["durations"] for row in before})
            risks = {row["package_id"]: risk_from(row["risk"]) for row in _sql.risks(conn, **within)}
            records = batches_ahead(_records(conn, {**within, "watermark": watermark, "side": SIDE}), _FETCH)
            risk = partial(_risk, risks)
            if not logs:
                yield DaySource(records, Sources(lambda _: no_log(), risk), trailing)
                return
            with reading_ahead(self._logs) as ahead:
                yield DaySource(ahead.following(records), Sources(ahead.of, risk), trailing)

    def one(self, run_id: UUID, ended_at: datetime.datetime) -> Row | None:
        """The row of one run before scrubbing; None if the log does not have its end or its row cannot be made."""
        within = {"tenant_id": self._tenant_id, "start": ended_at, "end": ended_at + datetime.timedelta(microseconds=1)}
        with self._sessions.tenant(self._tenant_id) as conn:
            records = _records(conn, {**within, "watermark": _LAST, "side": SIDE})
            found = next((record for record in records if record.run_id == run_id), None)
        if found is None:
            return None
        try:
            return assemble(found, self._logs(found), risk_from(None))
        except RejectedError:
            return None

    def _logs(self, record: Record) -> dict[str, Json]:
        if not record.chunks:
            return no_log()
        return read_excerpt(self._objects, self._tenant_id, record.run_id, record.chunks, record.log_size)


def _tupled(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "forgotten": tuple(row["forgotten"])}


def _risk(risks: dict[UUID, dict[str, Json]], record: Record) -> Json:
    return risks.get(record.package_id, risk_from(None))


def _records(conn: Connection, parameters: dict[str, Any]) -> Iterator[Record]:
    with conn.cursor(name="dataset_runs") as cursor:
        cursor.itersize = _FETCH
        cursor.execute(_sql.runs_of_day.sql, parameters)
        for row in cursor:
            yield record_from(row)


def midnight(day: datetime.date) -> datetime.datetime:
    """The beginning of the day, UTC."""
    return datetime.datetime.combine(day, datetime.time(), datetime.UTC)


def end_of(order: Order) -> datetime.datetime:
    """The moment at which the order's days end, UTC."""
    return _OPEN_END if order.until is None else midnight(order.until)
