"""The log of one attempt: masked, capped in the middle, in the order it came."""

from __future__ import annotations

from collections import deque

from atomctl.runs.masking import Masker
from atomctl.runs.steps.model import LogSink, Stream

_TAIL_SHARE = 10
"""One tenth of the cap is kept for the end: it waits in memory, the head does not."""
_PIECE = 64 * 1024
_PIECES = 16 * 1024


class LogCapture:
    """Passes what a step prints through the masker into the sink, and keeps head and tail of what is too much.

    Args:
        sink: takes the masked bytes.
        masker: knows the secrets; each stream gets its own copy, because a secret spans writes of one stream.
        limit: how many masked bytes of both streams together are kept.
    """

    def __init__(self, sink: LogSink, masker: Masker, limit: int) -> None:
        self._sink = sink
        self._maskers: dict[Stream, Masker] = {"stdout": masker.fork(), "stderr": masker.fork()}
        self._tail_limit = limit // _TAIL_SHARE
        self._head_left = limit - self._tail_limit
        self._tail: deque[tuple[Stream, bytearray]] = deque()
        self._tail_size = 0
        self.dropped = 0

    def write(self, stream: Stream, data: bytes) -> None:
        """Takes what the step printed on `stream`."""
        self._keep(stream, self._maskers[stream].feed(data))

    def close(self) -> None:
        """Everything that is kept is in the sink, with one line where something is missing."""
        for stream, masker in self._maskers.items():
            self._keep(stream, masker.flush())
        if self.dropped:
            self._sink.write("stderr", f"\natom: {self.dropped} bytes of the log were left out here\n".encode())
        for stream, data in self._tail:
            self._sink.write(stream, bytes(data))
        self._tail.clear()

    def _keep(self, stream: Stream, data: bytes) -> None:
        head, rest = data[: self._head_left], data[self._head_left :]
        if head:
            self._head_left -= len(head)
            self._sink.write(stream, head)
        if rest:
            self._append(stream, rest)
            self._trim()

    def _append(self, stream: Stream, data: bytes) -> None:
        """Joins neighbours: a step that prints byte by byte must not cost a hundred times what it prints."""
        self._tail_size += len(data)
        if self._tail and self._tail[-1][0] == stream and len(self._tail[-1][1]) < _PIECE:
            self._tail[-1][1].extend(data)
        else:
            self._tail.append((stream, bytearray(data)))

    def _trim(self) -> None:
        while self._tail_size > self._tail_limit or len(self._tail) > _PIECES:
            oldest = self._tail[0][1]
            surplus = len(oldest) if len(self._tail) > _PIECES else min(len(oldest), self._tail_size - self._tail_limit)
            del oldest[:surplus]
            self._tail_size -= surplus
            self.dropped += surplus
            if not oldest:
                self._tail.popleft()
