"""The leaf: an entry as it was recorded, with the index and time the sequencer gave it.

A leaf is the canonical JSON of `{"entry": …, "index": n, "time": "YYYY-MM-DDTHH:MM:SS.ffffffZ"}`. Because the entry is
canonical already and the names are in order, the sequencer puts it together from bytes, and a reader finds index and
time at the end without parsing what a caller wrote. Everything here is pure.
"""

from __future__ import annotations

import datetime
import json
import re
from typing import NamedTuple

from atomctl.canonical import Json

_HEAD = b'{"entry":'
_TAIL = re.compile(rb',"index":(0|[1-9][0-9]{0,18}),"time":"([0-9-]{10}T[0-9:]{8}\.[0-9]{6}Z)"\}')
_LONGEST_TAIL = 80


class Place(NamedTuple):
    """Where a leaf says it stands: its index (`at`), and its time as it is written, which sorts as text."""

    at: int
    time: str


def leaf_bytes(entry: bytes, index: int, time: str) -> bytes:
    """The exact bytes of a leaf.

    Args:
        entry: the canonical JSON of the entry, as it was recorded.
        index: the entry's place in its tenant's log, from 0.
        time: when it was sequenced, as `time_text` writes it.
    """
    return b'%s%s,"index":%d,"time":"%s"}' % (_HEAD, entry, index, time.encode())


def place_of(leaf: bytes) -> Place | None:
    """Where the leaf says it stands; None if these are not the bytes of a leaf."""
    tail = _TAIL.search(leaf, max(0, len(leaf) - _LONGEST_TAIL))
    if tail is None or tail.end() != len(leaf) or not leaf.startswith(_HEAD):
        return None
    return Place(int(tail[1]), tail[2].decode())


def entry_of(leaf: bytes) -> dict[str, Json]:
    """The entry inside a leaf.

    Raises:
        ValueError: these are not the bytes of a leaf.
    """
    document = json.loads(leaf)
    entry = document.get("entry") if isinstance(document, dict) else None
    if not isinstance(entry, dict):
        raise ValueError("not a leaf of an audit log")
    return entry


def time_text(moment: datetime.datetime) -> str:
    """`moment` in UTC with microseconds, always 27 characters."""
    return f"{moment.astimezone(datetime.UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
