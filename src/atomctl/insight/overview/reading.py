"""Reads an overview, in the caller's transaction of one tenant."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.insight.overview.model import PARTS, Overview, counted, figures, of_ended, of_steps

_sql: Any = queries.load(__file__)


def overview(conn: Connection, tenant_id: UUID, *, now: datetime, length: timedelta) -> Overview:
    """The main series of the tenant over the last `length`.

    Dry runs are not counted. An upload that was refused is counted when its entry came into the audit log.
    """
    since = now - length
    window = {"tenant_id": tenant_id, "since": since, "until": now, "seconds": (length / PARTS).total_seconds()}
    ended = list(_sql.ended_by_bucket(conn, **window))
    return Overview(
        since=since,
        until=now,
        series=(
            counted("runs_requested", "runs requested", _sql.requested_by_bucket(conn, **window), "runs"),
            *of_ended(ended),
            *of_steps(list(_sql.step_seconds_by_bucket(conn, **window))),
            counted(
                "approvals_requested",
                "approvals asked for",
                _sql.approvals_requested_by_bucket(conn, **window),
                "approvals",
            ),
            counted("uploads_refused", "uploads refused", _refused_uploads(conn, window), "uploads"),
        ),
        figures=figures(_sql.waiting_now(conn, tenant_id=tenant_id, now=now)),
        open_runs={row["state"]: row["runs"] for row in _sql.open_states(conn, tenant_id=tenant_id)},
    )


def _refused_uploads(conn: Connection, window: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Entries are looked at from the first of the window on, which is found by halving: they stand in order of time."""
    tenant_id = window["tenant_id"]

    def time_of(index: int) -> datetime:
        found: datetime = _sql.entry_time(conn, tenant_id=tenant_id, entry_index=index)
        return found

    size = _sql.audit_size(conn, tenant_id=tenant_id) or 0
    first = bisect.bisect_left(range(size), window["since"], key=time_of)
    rows: Iterable[Mapping[str, Any]] = _sql.refused_uploads_by_bucket(conn, first=first, **window)
    return rows
