"""Where things stand in a file: lines and columns, found when they are asked for."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = Sequence[str | int]
"""Keys and indexes from the document's root to a value."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a file; line and column count from 1, columns in characters."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Place:
    """Where a value stands: its YAML event, and the places of what it contains."""

    __slots__ = ("event", "items")

    def __init__(self, event: Any, items: Any) -> None:
        self.event = event
        self.items = items
        """Of a sequence: the places of its items. Of a mapping: per key, the key's event and the value's place."""


class Text:
    """A file's text; only a line feed ends a line, as in editors, whatever YAML thinks of U+2028."""

    __slots__ = ("_starts", "file", "text")

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self._starts: list[int] | None = None

    def position(self, offset: int) -> Position:
        """The position of the character at `offset`."""
        if self._starts is None:
            self._starts = [0, *(index + 1 for index, char in enumerate(self.text) if char == "\n")]
        line = bisect_right(self._starts, offset)
        return Position(self.file, line, offset - self._starts[line - 1] + 1)


def find(place: Place, path: Path) -> tuple[Any, Place]:
    """The event of the entry at `path` and the place of its value; of the deepest that exists, if it ends earlier."""
    event = place.event
    for step in path:
        items = place.items
        if isinstance(items, dict) and step in items:
            event, place = items[step]
        elif isinstance(items, list) and isinstance(step, int) and 0 <= step < len(items):
            place = items[step]
            event = place.event
        else:
            break
    return event, place
