"""Long polls: an answer that waits for a change, at most `LONGEST` seconds and for a bounded number of callers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

LONGEST: Final = 30.0
WAITERS: Final = 64
"""How many may wait at a time; who comes after them is answered at once, which is right, only sooner."""
_LOOK_EVERY: Final = 0.2

_T = TypeVar("_T")
_places = threading.BoundedSemaphore(WAITERS)
_ending = threading.Event()


def wait_until(look: Callable[[], _T], enough: Callable[[_T], bool], seconds: float) -> _T:
    """What `look` finds once it is `enough`, or what it finds after `seconds` or when this process ends."""
    found = look()
    if seconds <= 0 or enough(found) or not _places.acquire(blocking=False):
        return found
    try:
        deadline = time.monotonic() + seconds
        while not enough(found) and (left := deadline - time.monotonic()) > 0:
            if _ending.wait(min(_LOOK_EVERY, left)):
                break
            found = look()
    finally:
        _places.release()
    return found


def end_waiting() -> None:
    """Whoever waits is answered with what was last found, and who comes later at once: this process ends."""
    _ending.set()
