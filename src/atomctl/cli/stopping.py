"""How a process that runs until it is stopped hears of it."""

from __future__ import annotations

import signal
import threading


def set_by_signals() -> threading.Event:
    """An event that SIGINT and SIGTERM set from now on; called in the main thread.

    A thread of its own sets it. A signal's handler runs in the middle of whatever the main thread does, and if that is
    `Event.wait`, the lock that `Event.set` waits for is held by the very code that was interrupted.
    """
    event = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=event.set, name="atom-stop").start())
    return event
