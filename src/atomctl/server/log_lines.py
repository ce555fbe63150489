"""Whole lines out of the bytes of a log, and positions as one number (pure).

An offset is `attempt * 2**40 + byte`: for a reader an opaque number that grows, which JSON carries exactly up to 8,191
attempts.
"""

from __future__ import annotations

from atomctl.runs.logs import LogPage, LogPart, Position
from atomctl.server.documents.runs import LogLine

_BYTES = 40
LONGEST_LINE = 64 * 1024
"""Bytes after which a line that has not ended is shown all the same."""


def position_of(offset: int) -> Position:
    """The position an offset stands for."""
    return Position(offset >> _BYTES, offset & ((1 << _BYTES) - 1))


def offset_of(position: Position) -> int:
    """The offset that stands for a position."""
    return (position.attempt << _BYTES) + position.offset


def lines_of(page: LogPage, start: Position) -> tuple[list[LogLine], Position]:
    """The lines of a page that began at `start`, and where to go on.

    A line of an attempt that still writes is held back until it ends, so that it is shown once and whole.
    """
    lines: list[LogLine] = []
    after = page.after
    for part in page.parts:
        begin = start.offset if part.attempt == start.attempt else 0
        data = part.data
        if part.attempt == page.after.attempt:
            data = _ended_lines(data)
            after = Position(part.attempt, begin + len(data))
        lines += _lines(part, data, begin)
    return lines, after


def _ended_lines(data: bytes) -> bytes:
    end = data.rfind(b"\n") + 1
    return data[:end] if end or len(data) < LONGEST_LINE else data


def _lines(part: LogPart, data: bytes, begin: int) -> list[LogLine]:
    lines, offset = [], begin
    for raw in _split(data):
        text = raw.rstrip(b"\r\n").decode(errors="replace")
        lines.append(
            LogLine(offset=offset_of(Position(part.attempt, offset)), step=part.step, attempt=part.attempt, text=text)
        )
        offset += len(raw)
    return lines


def _split(data: bytes) -> list[bytes]:
    """The lines with their newline; unlike `bytes.splitlines`, a lone carriage return ends none."""
    pieces = data.split(b"\n")
    ended = [piece + b"\n" for piece in pieces[:-1]]
    return [*ended, pieces[-1]] if pieces[-1] else ended
