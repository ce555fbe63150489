"""The end of an attempt's log, without reading all of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.objects.model import ObjectStore
from atomctl.runs.attempt_log import chunk_key
from atomctl.runs.logs import stored_chunk
from atomctl.runs.model import Attempt, Run

_sql: Any = queries.load(__file__)

_CHUNKS = 8
"""Chunks that are looked at: half a mebibyte of a step that prints fast, the newest lines of one that prints slowly."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Whole lines in the order in which they were written; `more`: others stand before them."""

    lines: tuple[bytes, ...]
    more: bool


def last_lines(conn: Connection, objects: ObjectStore, run: Run, attempt: Attempt, count: int) -> Tail:
    """The last `count` lines of what the attempt has logged so far; a line too long for what is looked at is cut.

    Raises:
        AtomError: RUN616 a chunk is missing or damaged, OBJ0xx the object store cannot be reached.
    """
    data, begun = b"", False
    for row in _sql.last_chunks(conn, tenant_id=run.tenant_id, attempt_id=attempt.id, count=_CHUNKS):
        key = chunk_key(run.tenant_id, run.id, attempt.id, row["sequence"])
        data = stored_chunk(objects, key, row["length"], row["digest"]) + data
        begun = row["start_offset"] == 0
        if data.count(b"\n") > count:
            break
    return tail_of(data, count, whole=begun or not data)


def tail_of(data: bytes, count: int, *, whole: bool) -> Tail:
    """The last `count` lines of `data`; pure. Where it is not the `whole` log, its first line may be half a line.

    Unlike with `bytes.splitlines`, a lone carriage return ends no line; what a program overwrote in a line is gone.
    """
    lines = data.removesuffix(b"\n").split(b"\n") if data else []
    if not whole and len(lines) > 1:
        lines = lines[1:]
    shown = lines[-count:] if count > 0 else []
    return Tail(tuple(line.rstrip(b"\r").rpartition(b"\r")[2] for line in shown), not whole or len(shown) < len(lines))
