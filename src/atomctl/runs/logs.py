"""Reading the log of a run, live and with resume.

A position is `attempt:offset`: the number of the attempt in the order in which attempts began, and a byte offset in
its log. An attempt's log only ever grows, and the reader moves on to the next attempt only once this one has ended, so
nothing is skipped however long a reader is away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import zstandard

from atomctl.canonical import digest
from atomctl.db import queries
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore
from atomctl.runs import codes
from atomctl.runs.attempt_log import CHUNK, chunk_key
from atomctl.runs.model import Attempt, AttemptState, Run
from atomctl.runs.read import attempts_of, run_of
from atomctl.runs.states import ENDED

Connection = psycopg.Connection[dict[str, Any]]

_sql = queries.load(__file__)

_CHUNKS = 16


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a reader is. `Position()` is the beginning."""

    attempt: int = 0
    offset: int = 0

    @classmethod
    def parse(cls, text: str) -> Position:
        """The position in `text`, as `str()` wrote it.

        Raises:
            AtomError: RUN615 it is none.
        """
        attempt, colon, offset = text.partition(":")
        if not (colon and attempt.isdecimal() and offset.isdecimal() and len(text) <= 40):
            raise AtomError(codes.LOG_POSITION, f"{text[:40]!r} is not attempt:offset")
        return cls(int(attempt), int(offset))

    def __str__(self) -> str:
        return f"{self.attempt}:{self.offset}"


@dataclass(frozen=True, slots=True)
class LogPart:
    """Consecutive bytes of one attempt's log."""

    step: str
    attempt: int
    data: bytes


@dataclass(frozen=True, slots=True)
class LogPage:
    """What came next, where to go on from, and whether more can still come."""

    parts: tuple[LogPart, ...]
    after: Position
    ended: bool


def read_log(conn: Connection, objects: ObjectStore, tenant_id: UUID, run_id: UUID, start: Position) -> LogPage:
    """About a mebibyte of log from `start` on; an empty page that is not `ended` means: ask again later.

    Raises:
        AtomError: RUN601 no such run, RUN616 a chunk is missing or damaged.
    """
    run = run_of(conn, tenant_id, run_id)
    attempts = attempts_of(conn, tenant_id, run_id)
    parts, here, room = list[LogPart](), start, _CHUNKS * CHUNK
    while here.attempt < len(attempts) and room > 0:
        attempt = attempts[here.attempt]
        data = _from(conn, objects, run, attempt, here.offset)
        if data:
            parts.append(LogPart(attempt.step, here.attempt, data))
            here, room = Position(here.attempt, here.offset + len(data)), room - len(data)
        elif _complete(attempts, here.attempt, run_ended=run.state in ENDED):
            here = Position(here.attempt + 1, 0)
        else:
            break
    return LogPage(tuple(parts), here, run.state in ENDED and here.attempt >= len(attempts))


def _complete(attempts: Sequence[Attempt], index: int, *, run_ended: bool) -> bool:
    """Whether nothing can be added to the attempt's log: it has ended, or a later attempt or the run's end says so."""
    return attempts[index].state is not AttemptState.STARTED or run_ended


def _from(conn: Connection, objects: ObjectStore, run: Run, attempt: Attempt, start: int) -> bytes:
    rows = _sql.chunks_from(conn, tenant_id=run.tenant_id, attempt_id=attempt.id, start=start, count=_CHUNKS)
    data = b""
    for row in rows:
        key = chunk_key(run.tenant_id, run.id, attempt.id, row["sequence"])
        chunk = stored_chunk(objects, key, row["length"], row["digest"])
        data += chunk[max(0, start - row["start_offset"]) :]
    return data


def stored_chunk(objects: ObjectStore, key: str, length: int, expected: str) -> bytes:
    """The bytes of one chunk.

    Raises:
        AtomError: RUN616 they are gone, or not what was written.
    """
    try:
        chunk = zstandard.decompress(objects.get(key), max_output_size=length)
    except (AtomError, zstandard.ZstdError) as error:
        raise AtomError(codes.LOG_DAMAGED, f"{key}: {error}") from error
    if digest(chunk) != expected:
        raise AtomError(codes.LOG_DAMAGED, f"{key} has another digest than its index entry")
    return chunk
