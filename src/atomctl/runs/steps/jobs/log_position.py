"""Where a reader of a container's log is, so that it can go on after a break without losing or doubling a line. Pure.

Each line comes with the time at which the node wrote it (`timestamps=true`). Asked for what is newer than a time, the
server answers from that second on, and what the two streams of a container say at the same moment may stand in either
order; so the lines of the last two seconds are remembered, and those that come again are left out.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

_STAMPED: Final = re.compile(rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d) ")
_KEPT_SECONDS: Final = 2
_LONG: Final = 1024 * 1024
"""A line of at least so many bytes may come in pieces, of which only the first one has a time."""


class LogPosition:
    """What has been read; one per container and reader."""

    def __init__(self) -> None:
        self._seen: dict[bytes, Counter[int]] = {}
        self._again: dict[bytes, Counter[int]] = {}
        self._zone = b"Z"
        self._long = False

    @property
    def since(self) -> str | None:
        """The time to ask from; None: from the beginning."""
        return (min(self._seen) + self._zone).decode() if self._seen else None

    def reopen(self) -> None:
        """The log is read anew from `since` on: what was seen will come again."""
        self._again = {second: Counter(lines) for second, lines in self._seen.items()}

    def is_said(self, line: bytes) -> bool:
        """Whether the step said it. A line without a time is the node's, which says so where it has no log to show."""
        return self._long or _STAMPED.match(line) is not None

    def take(self, line: bytes) -> bytes | None:
        """What the step said, without the time and without a line end; None if it was taken before, or is not said."""
        stamp = _STAMPED.match(line)
        if stamp is None:
            return line if self._long else None
        self._long = len(line) >= _LONG
        second, self._zone = stamp[1], stamp[3]
        known = hash(line)
        again = self._again.get(second)
        if again is not None and again[known] > 0:
            again[known] -= 1
            return None
        self._remember(second, known)
        return line[stamp.end() :]

    def _remember(self, second: bytes, line: int) -> None:
        self._seen.setdefault(second, Counter())[line] += 1
        while len(self._seen) > _KEPT_SECONDS:
            del self._seen[min(self._seen)]
