"""For servers that a developer starts in a terminal: they run until Ctrl-C, and say what they do."""

from __future__ import annotations

import os
import select
import signal
import sys

import pytest

MISSING = (pytest.skip.Exception, pytest.fail.Exception)
"""What `require` raises."""


class InterruptedStartError(Exception):
    """Somebody wants the servers to end before they are complete."""


class Signals:
    """Ctrl-C, a polite kill and a closed terminal, kept until somebody looks: none of them tears a start apart."""

    def __init__(self) -> None:
        self._read, self._write = os.pipe()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: os.write(self._write, b"."))

    def came(self, seconds: float = 0) -> bool:
        """Whether one has come; it is waited for as long as `seconds`."""
        return bool(select.select([self._read], [], [], seconds)[0])

    def check(self) -> None:
        """Raises `InterruptedStartError` if one has come."""
        if self.came():
            raise InterruptedStartError


def say(text: str) -> None:
    """Tells the developer, beside what is printed for programs."""
    print(text, file=sys.stderr, flush=True)
