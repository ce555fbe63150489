"""Waiting for a condition, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

_POLL = 0.02


def wait_until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Afterwards `condition` was true once.

    Raises:
        TimeoutError: it was not within `seconds`; the message says `what` was awaited.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(_POLL)
