"""A sign of life beside what takes a while, on terminals alone; elsewhere nothing is printed."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from atomctl.cli.invocation import Format, current

_FRAMES = "|/-\\"
_FRAME_SECONDS = 0.1
_SILENT_SECONDS = 0.3
"""What is over sooner shows nothing."""


@contextmanager
def busy(what: str) -> Iterator[None]:
    """While the block runs, `what` turns on standard error with the seconds that have passed; it leaves no trace."""
    if not _shown():
        yield
        return
    done = threading.Event()
    spinner = threading.Thread(target=_spin, args=(what, done), name="atom-progress", daemon=True)
    spinner.start()
    try:
        yield
    finally:
        done.set()
        spinner.join()


def _shown() -> bool:
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and current().format is Format.TEXT


def _spin(what: str, done: threading.Event) -> None:
    started = time.monotonic()
    if done.wait(_SILENT_SECONDS):
        return
    turn = 0
    while not done.wait(_FRAME_SECONDS):
        sys.stderr.write(f"\r{_FRAMES[turn % len(_FRAMES)]} {what}  {time.monotonic() - started:.0f} s\033[K")
        sys.stderr.flush()
        turn += 1
    sys.stderr.write("\r\033[K")
    sys.stderr.flush()
