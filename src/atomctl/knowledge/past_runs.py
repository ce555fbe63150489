"""Past runs in which something went wrong, as chunks: what failed, with the end of its log, scrubbed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from atomctl.canonical import Digest
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.knowledge.cleaning import clean
from atomctl.knowledge.model import Chunk, Page
from atomctl.knowledge.scrubbing import scrubbed
from atomctl.objects.model import ObjectStore
from atomctl.runs.log_tail import last_lines
from atomctl.runs.model import Attempt, AttemptState, Run, RunState
from atomctl.runs.read import attempts_of, run_of

AT_ONCE = 50
"""Runs that one request gathers."""
_LINES = 15
_LONGEST = 1_500
"""Characters of the text of a run, of which models read the first thousand."""
_BAD = frozenset({AttemptState.FAILED, AttemptState.TIMED_OUT, AttemptState.REFUSED, AttemptState.LOST})
ASKING = frozenset({RunState.NEEDS_DECISION, RunState.PAUSED})
"""States of runs that have not ended and in which somebody has to find out what went wrong."""

_sql: Any = queries.load(__file__)


def ungathered(
    conn: Connection, tenant_id: UUID, model: str | None, within: int | None = None
) -> list[tuple[UUID, Digest]]:
    """The newest runs, at most `AT_ONCE`, that are not in the index as they ended with this model's vectors, if any's.

    Args:
        conn: a transaction of the tenant.
        tenant_id: whose runs.
        model: whose vectors they are to have; None: with or without any.
        within: how many of the newest runs are looked at; None: all.

    Returns:
        Their ids, each with the digest that its page is to have.
    """
    rows = _sql.runs_to_gather(conn, tenant_id=tenant_id, model=model, within=within, count=AT_ONCE)
    return [(row["id"], Digest(row["digest"])) for row in rows]


def forgotten(conn: Connection, tenant_id: UUID) -> list[str]:
    """The paths of indexed runs that `dataset forget` was told of since."""
    return [row["path"] for row in _sql.forgotten_runs(conn, tenant_id=tenant_id)]


def page_of(conn: Connection, objects: ObjectStore, tenant_id: UUID, run_id: UUID, digest: Digest) -> Page:
    """The run as a page of one chunk; what must not be stored is taken out of it.

    A log that cannot be read any more is left out: its absence says nothing about the rest.

    Raises:
        AtomError: RUN601 no such run.
    """
    run = run_of(conn, tenant_id, run_id)
    failed = first_failure(attempts_of(conn, tenant_id, run_id))
    step = failed.step if failed else "no step"
    said = [
        run.why or "",
        *((f"{failed.code or ''} {failed.error or ''}", _tail(conn, objects, run, failed)) if failed else ()),
    ]
    text = clean(scrubbed("\n".join(filter(None, map(str.strip, said))))) or run.state.value
    return Page(str(run_id), digest, (Chunk((run.workflow, step), step, text[:_LONGEST]),))


def first_failure(attempts: Sequence[Attempt]) -> Attempt | None:
    """The newest attempt of the step that went wrong first: what came after it followed from it."""
    bad = [attempt for attempt in attempts if attempt.state in _BAD]
    same = [attempt for attempt in bad if attempt.step == bad[0].step and attempt.phase == bad[0].phase]
    return same[-1] if same else None


def _tail(conn: Connection, objects: ObjectStore, run: Run, attempt: Attempt) -> str:
    try:
        tail = last_lines(conn, objects, run, attempt, _LINES)
    except AtomError:
        return ""
    return "\n".join(line.decode(errors="replace") for line in tail.lines)
