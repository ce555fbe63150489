"""Places in PostgreSQL's write-ahead log, and the names of the files that hold them. Pure.

A place (LSN) is a 64-bit byte position, written `X/X`: the upper and lower 32 bits in hex. A segment's file name is
8 hex digits each of the timeline, of the position's upper part and of the segment within it
(PostgreSQL, `src/include/access/xlog_internal.h`, XLogFileName).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_LSN = re.compile(r"([0-9A-F]{1,8})/([0-9A-F]{1,8})")
_SEGMENT = re.compile(r"[0-9A-F]{24}")


def parse_lsn(text: str) -> int:
    """The position.

    Raises:
        ValueError: it is not an LSN.
    """
    found = _LSN.fullmatch(text)
    if found is None:
        raise ValueError(f"not an LSN: {text[:40]!r}")
    return int(found[1], 16) << 32 | int(found[2], 16)


def lsn_text(position: int) -> str:
    """The position as PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def segment_name(timeline: int, position: int, segment_size: int) -> str:
    """The file that holds the byte at `position`."""
    number = position // segment_size
    per_part = (1 << 32) // segment_size
    return f"{timeline:08X}{number // per_part:08X}{number % per_part:08X}"


def segments(timeline: int, start: int, end: int, segment_size: int) -> list[str]:
    """The files that hold the bytes from `start` up to, and not including, `end`."""
    first, last = start // segment_size, max(start, end - 1) // segment_size
    return [segment_name(timeline, number * segment_size, segment_size) for number in range(first, last + 1)]


def missing_segments(names: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """The files of `wanted` that are not among `names`, in order."""
    there = frozenset(names)
    return [name for name in wanted if name not in there]


def is_log_file(name: str) -> bool:
    """Whether it is the name of a whole segment or of a timeline's history."""
    return _SEGMENT.fullmatch(name) is not None or re.fullmatch(r"[0-9A-F]{8}\.history", name) is not None
