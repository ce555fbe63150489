"""How a process that runs until it is stopped hears of it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


def set_by_signals() -> threading.Event:
    """An event that SIGINT and SIGTERM set from now on; called in the main thread.

    A thread of its own sets it. A signal's handler runs in the middle of whatever the main thread does, and if that is
    `Event.wait`, the lock that `Event.set` waits for is held by the very code that was interrupted.
    """
    event = threading.Event()
    for number in _NUMBERS:
        signal.signal(number, lambda *_: threading.Thread(target=event.set, name="atom-stop").start())
    return event


class StopSignals:
    """SIGINT and SIGTERM, for a main thread that starts processes and waits for them; made in the main thread.

    A `KeyboardInterrupt` breaks off what it does, but can get lost: Python drops one that is raised in the hooks around
    a fork. So the wish is kept too, and whoever calls `check` between two steps does not miss it.

    Attributes:
        asked: whether one of them has come.
        interrupting: whether the next one also raises KeyboardInterrupt; not in what must come to its end.
    """

    def __init__(self) -> None:
        self.asked = False
        self.interrupting = True
        for number in _NUMBERS:
            signal.signal(number, self._on_signal)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within the block nothing is interrupted: it is short, or calls `check` itself."""
        before, self.interrupting = self.interrupting, False
        try:
            yield
        finally:
            self.interrupting = before

    def check(self) -> None:
        """Returns when nobody has asked to stop.

        Raises:
            KeyboardInterrupt: somebody has.
        """
        if self.asked:
            raise KeyboardInterrupt

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if self.interrupting:
            raise KeyboardInterrupt
