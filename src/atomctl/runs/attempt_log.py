"""Writing the log of one attempt: masked bytes in, zstd chunks in the object store and their index out."""

from __future__ import annotations

import threading
import time
from uuid import UUID

import zstandard

from atomctl.canonical import digest
from atomctl.db import queries
from atomctl.runs.context import WorkerContext
from atomctl.runs.model import SegmentKey
from atomctl.runs.steps.model import Stream

_sql = queries.load(__file__)

CHUNK = 64 * 1024
"""A chunk is closed at this many bytes ..."""
QUIET = 0.5
"""... or when its first byte is this many seconds old and more arrives, so that a live reader sees it soon."""


class AttemptLog:
    """`LogSink` of one attempt. Both streams go into one log, in the order in which they arrive.

    A log that another worker began goes on behind its last chunk.
    """

    def __init__(
        self, context: WorkerContext, segment: SegmentKey, attempt_id: UUID, *, offset: int = 0, sequence: int = 0
    ) -> None:
        self._context = context
        self._run = segment
        self._attempt_id = attempt_id
        self._lock = threading.Lock()
        self._buffer = bytearray()
        self._since = 0.0
        self._offset = offset
        self._sequence = sequence

    def write(self, stream: Stream, data: bytes) -> None:  # noqa: ARG002 - one log, both streams
        """`data` is in the log; it is durable once its chunk is full, old, or the log is closed."""
        if not data:
            return
        with self._lock:
            if not self._buffer:
                self._since = time.monotonic()
            self._buffer += data
            self._flush(all_of_it=time.monotonic() - self._since >= QUIET)

    def tick(self) -> None:
        """Makes what has been waiting for more visible to readers."""
        with self._lock:
            if self._buffer and time.monotonic() - self._since >= QUIET:
                self._flush(all_of_it=True)

    def close(self) -> None:
        """Everything written is durable."""
        with self._lock:
            self._flush(all_of_it=True)

    def _flush(self, *, all_of_it: bool) -> None:
        while len(self._buffer) >= CHUNK or (all_of_it and self._buffer):
            chunk = bytes(self._buffer[:CHUNK])
            self._store(chunk)
            del self._buffer[: len(chunk)]
            self._since = time.monotonic()

    def _store(self, chunk: bytes) -> None:
        """Bytes first, index second: a reader never finds an index entry without its bytes."""
        self._sequence += 1
        key = chunk_key(self._run.tenant_id, self._run.run_id, self._attempt_id, self._sequence)
        self._context.objects.put(key, zstandard.compress(chunk))
        self._context.patiently(lambda: self._index(chunk))
        self._offset += len(chunk)

    def _index(self, chunk: bytes) -> None:
        with self._context.sessions.tenant(self._run.tenant_id) as conn:
            _sql.insert_chunk(
                conn,
                tenant_id=self._run.tenant_id,
                run_id=self._run.run_id,
                attempt_id=self._attempt_id,
                sequence=self._sequence,
                start_offset=self._offset,
                length=len(chunk),
                digest=digest(chunk),
            )


class NoLog:
    """`LogSink` of an attempt that only asks a question."""

    def write(self, stream: Stream, data: bytes) -> None:
        """Nothing is kept."""

    def tick(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing was opened."""


def chunk_key(tenant_id: UUID, run_id: UUID, attempt_id: UUID, sequence: int) -> str:
    """Where a chunk lies in the object store."""
    return f"logs/{tenant_id}/{run_id}/{attempt_id}/{sequence}.zst"
