"""Where a probe writes down whom it asked what: times, server and version, digests of request and answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from atomctl.canonical import digest
from atomctl.controls.model import Exchange


class Notebook:
    """The exchanges of one control, taken out probe by probe, and the tenants whose audit entries belong to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._exchanges: list[Exchange] = []
        self._entries: list[Callable[[], Iterable[str]]] = []
        self._last: set[str] = set()
        self._seen: set[str] = set()

    def note(self, server: str, version: str, request: bytes, answer: bytes) -> None:
        """Writes down one exchange; only the digests are kept."""
        exchange = Exchange(server, version, digest(request), digest(answer), datetime.now(UTC))
        with self._lock:
            self._exchanges.append(exchange)

    @contextmanager
    def following(self, entries: Callable[[], Iterable[str]]) -> Iterator[None]:
        """Within the block, the audit entries that `entries` lists belong to whichever probe runs when they appear."""
        self._entries.append(entries)
        try:
            yield
            self._last.update(entries())
        finally:
            self._entries.remove(entries)

    def take(self) -> tuple[Exchange, ...]:
        """The exchanges since the last call."""
        with self._lock:
            taken, self._exchanges = tuple(self._exchanges), []
        return taken

    def take_audit(self) -> tuple[str, ...]:
        """The ids of the audit entries that appeared since the last call, in order."""
        there = {entry for entries in self._entries for entry in entries()} | self._last
        found = sorted(there - self._seen)
        self._seen.update(found)
        return tuple(found)
