"""Going on with the log of an attempt that another worker began: what is stored already is compared, not stored again.

The log of a Job can be read from its beginning by whoever attends it, and masking gives the same bytes each time, so
that the chunks which the former worker stored are a beginning of what the next one reads. Where they are not, because
the node has thrown the beginning away (it rotates logs), the log says so, and nothing that was read is left out.
"""

from __future__ import annotations

from collections import deque
from typing import Final
from uuid import UUID

from atomctl.canonical import digest
from atomctl.db import queries
from atomctl.runs.attempt_log import AttemptLog
from atomctl.runs.context import WorkerContext
from atomctl.runs.model import SegmentKey
from atomctl.runs.steps.model import LogSink, Stream

_sql = queries.load(__file__)

_ALL: Final = 1_000_000
_GAP: Final = (
    b"\natom: the worker of this step changed here, and the node has not kept the log from its beginning; some lines "
    b"may be missing, others may come twice\n"
)


class Continuation:
    """A `LogSink` that leaves out what is stored already.

    Args:
        sink: takes what is new.
        stored: length and digest of each stored chunk, in order.
    """

    def __init__(self, sink: LogSink, stored: list[tuple[int, str]]) -> None:
        self._sink = sink
        self._stored = deque(stored)
        self._buffer = bytearray()

    def write(self, stream: Stream, data: bytes) -> None:
        """`data` is in the log, now or from before."""
        if not self._stored:
            self._sink.write(stream, data)
            return
        self._buffer += data
        while self._stored and len(self._buffer) >= self._stored[0][0]:
            length, expected = self._stored.popleft()
            if digest(bytes(self._buffer[:length])) != expected:
                self._stored.clear()
                self._sink.write(stream, _GAP)
                break
            del self._buffer[:length]
        if not self._stored:
            self._sink.write(stream, bytes(self._buffer))
            self._buffer.clear()


class ResumedLog:
    """`LogSink` of an attempt that another worker began, whose log goes on behind what is stored of it."""

    def __init__(self, context: WorkerContext, segment: SegmentKey, attempt_id: UUID) -> None:
        with context.sessions.tenant(segment.tenant_id) as conn:
            rows = list(
                _sql.chunks_from(conn, tenant_id=segment.tenant_id, attempt_id=attempt_id, start=-1, count=_ALL)
            )
        last = rows[-1] if rows else {"start_offset": 0, "length": 0, "sequence": 0}
        # One more than the next: the bytes of a chunk are stored before its index entry, which may never have come.
        self._log = AttemptLog(
            context,
            segment,
            attempt_id,
            offset=last["start_offset"] + last["length"],
            sequence=last["sequence"] + 1,
        )
        self._continuation = Continuation(self._log, [(row["length"], row["digest"]) for row in rows])

    def write(self, stream: Stream, data: bytes) -> None:
        """`data` is in the log, now or from before."""
        self._continuation.write(stream, data)

    def tick(self) -> None:
        """Makes what has been waiting for more visible to readers."""
        self._log.tick()

    def close(self) -> None:
        """Everything written is durable."""
        self._log.close()
