"""Asking a server that may be away for a moment, as it is when it is upgraded: the run does not end with it."""

from __future__ import annotations

import time
from typing import Any, Protocol

from atomctl.client import UNREACHABLE
from atomctl.errors import AtomError

_AWAY_SECONDS, _PAUSE_SECONDS = 60.0, 1.0
"""How long a server may be away, and the pause between two looks."""


class Reader(Protocol):
    """What answers a GET, as `client.Client` does."""

    def get(self, path: str, **params: object) -> dict[str, Any]:
        """The JSON object at `path`."""


class Patient:
    """A reader that, once it was answered, outlives a server that is away for less than a minute."""

    def __init__(self, reader: Reader, deadline: float = float("inf")) -> None:
        """`deadline`, on the clock of `time.monotonic`, is when nobody waits any more."""
        self._reader = reader
        self._deadline = deadline
        self._answered = False

    def get(self, path: str, **params: object) -> dict[str, Any]:
        """The JSON object at `path`.

        Raises:
            AtomError: API001 no server answers, and none has for a minute if one did before; whatever it refuses with.
        """
        until = min(self._deadline, time.monotonic() + _AWAY_SECONDS) if self._answered else 0.0
        while True:
            try:
                answer = self._reader.get(path, **params)
            except AtomError as error:
                if error.code is not UNREACHABLE or time.monotonic() > until:
                    raise
            else:
                self._answered = True
                return answer
            time.sleep(_PAUSE_SECONDS)
