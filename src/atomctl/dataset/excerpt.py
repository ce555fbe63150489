"""The beginning and the end of a run's log, in whole lines: a line that was cut could show half of a secret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import zstandard

from atomctl.canonical import Json, digest
from atomctl.dataset.model import Reason
from atomctl.dataset.rejection import RejectedError
from atomctl.errors import AtomError, ExitCode
from atomctl.objects.model import ObjectStore
from atomctl.runs.attempt_log import chunk_key

SIDE = 4096
"""Bytes of the log kept at its beginning, and as many at its end."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored piece of a run's log; `start` is where it begins in the log of all attempts together."""

    attempt_id: UUID
    sequence: int
    start: int
    length: int
    digest: str


def read_excerpt(
    objects: ObjectStore, tenant_id: UUID, run_id: UUID, chunks: Iterable[Chunk], size: int
) -> dict[str, Json]:
    """The log of `size` bytes as a row has it.

    Args:
        objects: where the chunks lie.
        tenant_id: whose run.
        run_id: the run.
        chunks: in order, all that hold any of the first or last `SIDE` bytes.
        size: bytes of the whole log.

    Raises:
        RejectedError: a chunk is gone or damaged.
        AtomError: OBJ codes the store does not answer; nothing is known about the log then.
    """
    data = {
        chunk.start: _read(objects, chunk_key(tenant_id, run_id, chunk.attempt_id, chunk.sequence), chunk)
        for chunk in chunks
    }
    if size <= 2 * SIDE:
        whole = b"".join(data.values())
        return {"bytes": size, "head": whole.decode(errors="replace"), "tail": "", "truncated": False}
    head = b"".join(piece for start, piece in data.items() if start < SIDE)[:SIDE]
    tail = b"".join(piece for start, piece in data.items() if start + len(piece) > size - SIDE)[-SIDE:]
    return {"bytes": size, "head": _whole_lines(head), "tail": _after_first_line(tail), "truncated": True}


def no_log() -> dict[str, Json]:
    """The log of a run that wrote none."""
    return {"bytes": 0, "head": "", "tail": "", "truncated": False}


def _whole_lines(data: bytes) -> str:
    return data[: data.rfind(b"\n") + 1].decode(errors="replace")


def _after_first_line(data: bytes) -> str:
    return data[data.find(b"\n") + 1 :].decode(errors="replace") if b"\n" in data else ""


def _read(objects: ObjectStore, key: str, chunk: Chunk) -> bytes:
    try:
        data = zstandard.decompress(objects.get(key), max_output_size=chunk.length)
    except AtomError as error:
        if error.code.exit is ExitCode.SERVICE:
            raise
        raise RejectedError(Reason.LOG_DAMAGED) from error
    except zstandard.ZstdError as error:
        raise RejectedError(Reason.LOG_DAMAGED) from error
    if digest(data) != chunk.digest:
        raise RejectedError(Reason.LOG_DAMAGED)
    return data


def chunks_from(rows: Iterable[dict[str, Any]] | None) -> tuple[Chunk, ...]:
    """The chunks of a row of the database."""
    return tuple(
        Chunk(UUID(row["attempt_id"]), row["sequence"], row["start"], row["length"], row["digest"])
        for row in rows or ()
    )
