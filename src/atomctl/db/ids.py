"""UUIDv7 as RFC 9562 section 5.7 lays it out: ids that sort by the time they were made."""

from __future__ import annotations

import secrets
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last = 0


def new_id() -> UUID:
    """A fresh UUIDv7: Unix milliseconds, 12 bits of the fraction below (RFC 9562 method 3), 62 random bits.

    Ids made by one process always increase, also when its clock is set back. PostgreSQL makes none itself:
    `uuidv7()` exists only from version 18 on.
    """
    global _last  # noqa: PLW0603  # one clock per process is what makes ids increase
    with _lock:
        stamp = max(_clock(), _last + 1)
        _last = stamp
    milliseconds, fraction = stamp >> 12, stamp & 0xFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | secrets.randbits(62))


def _clock() -> int:
    """Unix time in units of 1/4096 ms."""
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    return milliseconds << 12 | (rest << 12) // 1_000_000
