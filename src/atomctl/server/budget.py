"""So many a minute: what anybody can cause is recorded no more often than this."""

from __future__ import annotations

import threading


class Budget:
    """So many a minute, and no more."""

    def __init__(self, each_minute: int) -> None:
        self._each_minute = each_minute
        self._lock = threading.Lock()
        self._minute, self._taken = 0, 0

    def take(self, now: float) -> bool:
        """Whether one more is within the budget of the minute that `now` (seconds) falls into."""
        minute = int(now // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._taken = minute, 0
            self._taken += 1
            return self._taken <= self._each_minute
