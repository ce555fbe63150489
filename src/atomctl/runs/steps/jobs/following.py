"""Following the log of a step's container in a thread of its own, through every break of the connection."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import GivenUpError, Patience
from atomctl.runs.steps.jobs.desk import JobDesk
from atomctl.runs.steps.jobs.log_position import LogPosition
from atomctl.runs.steps.model import Stream

_PAUSE: Final = 0.3
_ONE_STREAM: Final = 3600.0
"""Seconds after which a stream is asked for anew, whatever it does."""


class LogFollower:
    """Reads a container's log from its beginning and hands it on line by line.

    Args:
        desk: where the Pod is.
        pod: its name.
        write: takes what the step said; called from the follower's thread alone. What it raises ends the following and
            is raised by `finish`.
    """

    def __init__(self, desk: JobDesk, pod: str, write: Callable[[Stream, bytes], None]) -> None:
        self._desk = desk
        self._pod = pod
        self._write = write
        self._position = LogPosition()
        self._ended = threading.Event()
        self._stopped = threading.Event()
        self._failure: Exception | None = None
        self.complete = False
        """Whether the log was read to its end after the container had ended."""
        self._thread = threading.Thread(target=self._run, name=f"atom-log-{pod}", daemon=True)
        self._thread.start()

    def finish(self, seconds: float) -> bool:
        """The container has ended: waits until its log is read whole, at most so long; whether it was.

        Raises:
            Exception: what `write` raised.
        """
        self._ended.set()
        self._thread.join(seconds)
        self.stop()
        return self.complete

    def stop(self) -> None:
        """Nothing is written any more when this returns.

        Raises:
            Exception: what `write` raised.
        """
        self._stopped.set()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        clean = False
        try:
            while not self._stopped.is_set():
                last = self._ended.is_set()
                try:
                    clean = self._read()
                except AtomError as error:
                    if last and error.code is codes.NOT_FOUND:  # the Pod is gone: nothing more can be read
                        self.complete = clean
                        return
                    clean = False  # a break, or the container has not begun to speak: asked again
                if clean and last:
                    self.complete = True
                    return
                self._stopped.wait(_PAUSE)
        except GivenUpError:
            return
        except Exception as error:  # noqa: BLE001  # raised in the thread that waits for this one
            self._failure = error

    def _read(self) -> bool:
        """Whether the log was read until the container ended, as far as one stream tells.

        Raises:
            AtomError: KUB001 to KUB017 it broke.
            GivenUpError: it is to stop.
        """
        patience = Patience(time.monotonic() + _ONE_STREAM, self._stopped)
        self._position.reopen()
        with self._desk.log(self._pod, self._position.since, patience) as lines:
            for line in lines:
                if not self._position.is_said(line):
                    return False
                if (said := self._position.take(line)) is not None:
                    self._write("stdout", said + b"\n")
        return not patience.over
