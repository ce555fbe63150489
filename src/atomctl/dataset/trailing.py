"""How long a run took beside the successful ones of its workflow before it; exact, in whole milliseconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from atomctl.dataset.model import Performance

WINDOW = 100
"""How many successful runs before it a run is compared with."""
ENOUGH = 20
"""With fewer before it, nothing is said."""
_FAST_PERCENT, _SLOW_PERCENT = 10, 90


class Trailing:
    """The last durations of each workflow.

    Args:
        before: by workflow, what came before the first run that will be placed, in milliseconds, the oldest first.
    """

    def __init__(self, before: Mapping[str, Iterable[int]]) -> None:
        self._last = {name: deque(durations, WINDOW) for name, durations in before.items()}

    def place(self, workflow: str, duration_ms: int | None, *, succeeded: bool) -> Performance | None:
        """Where the run stands among those before it; None if it did not succeed or too few came before.

        Runs are placed in the order in which they ended; a successful one is before those that follow.
        """
        if not succeeded or duration_ms is None:
            return None
        last = self._last.setdefault(workflow, deque(maxlen=WINDOW))
        placed = _place(sorted(last), duration_ms) if len(last) >= ENOUGH else None
        last.append(duration_ms)
        return placed


def _place(ordered: list[int], duration_ms: int) -> Performance:
    if duration_ms < _percentile(ordered, _FAST_PERCENT):
        return Performance.FAST
    return Performance.SLOW if duration_ms > _percentile(ordered, _SLOW_PERCENT) else Performance.NORMAL


def _percentile(ordered: list[int], percent: int) -> int:
    """The nearest-rank percentile."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
