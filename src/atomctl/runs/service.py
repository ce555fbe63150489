"""The use cases of runs, for the API and the command line. Each takes the caller's transaction of one tenant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg

from atomctl.db import queries
from atomctl.objects.model import ObjectStore
from atomctl.runs.controlling import cancel, rerun, resolve, resume
from atomctl.runs.decided import on_approval
from atomctl.runs.logs import LogPage, Position, read_log
from atomctl.runs.model import Run, RunState
from atomctl.runs.read import attempts_of, documents_of, preview_of, run_of, steps_of
from atomctl.runs.requesting import RunRequest, request_run
from atomctl.runs.rows import run_from

__all__ = [
    "LogPage",
    "RunRequest",
    "attempts_of",
    "cancel",
    "documents_of",
    "get",
    "list_runs",
    "list_workers",
    "log_lines",
    "on_approval",
    "preview_of",
    "request_run",
    "rerun",
    "resolve",
    "resume",
    "steps_of",
]

Connection = psycopg.Connection[dict[str, Any]]

_sql = queries.load(__file__)


def get(conn: Connection, tenant_id: UUID, run_id: UUID) -> Run:
    """One run.

    Raises:
        AtomError: RUN601 the tenant has no such run.
    """
    return run_of(conn, tenant_id, run_id)


def list_runs(
    conn: Connection,
    tenant_id: UUID,
    *,
    workflow: str | None = None,
    state: RunState | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> list[Run]:
    """The next `limit` runs behind `after`, newest first."""
    rows = _sql.list_runs(conn, tenant_id=tenant_id, workflow=workflow, state=state, before=after, count=limit)
    return [run_from(row) for row in rows]


def log_lines(conn: Connection, objects: ObjectStore, tenant_id: UUID, run_id: UUID, after: str | None) -> LogPage:
    """What the run's log holds behind the position `after` (None: from the beginning).

    Raises:
        AtomError: RUN601 no such run, RUN615 not a position, RUN616 a chunk is missing or damaged.
    """
    start = Position.parse(after) if after else Position()
    return read_log(conn, objects, tenant_id, run_id, start)


def list_workers(conn: Connection, limit: int = 100) -> list[dict[str, Any]]:
    """The workers of the deployment, newest first: id, host, pid, version, isolation, state, last heartbeat (UTC)."""
    return list(_sql.workers(conn, count=limit))
