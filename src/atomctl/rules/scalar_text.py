"""Where a character of a YAML scalar's value stands in the file, through indentation, folding, quotes and escapes.

YAML inside a ConfigMap and a script inside a handler are text inside text: a finding in the inner text must name the
line and column of the outer file. Scalar styles: YAML 1.2.2, chapters 7.3 (flow) and 8.1 (block).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

_BLANKS = " \t"
_ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


class LineMap:
    """Turns offsets of a text into lines and columns, both 1-based and in characters, and back."""

    __slots__ = ("_starts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts: list[int] | None = None

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a character; an offset beyond the end is the place just after it."""
        offset = min(offset, len(self.text))
        starts = self._line_starts()
        line = bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """The offset of a line and column."""
        starts = self._line_starts()
        return starts[min(line, len(starts)) - 1] + column - 1

    def _line_starts(self) -> list[int]:
        if self._starts is None:
            self._starts = [0, *(index + 1 for index, char in enumerate(self.text) if char == "\n")]
        return self._starts


def scalar_offset(raw: str, start: int, value: str, offset: int) -> int:
    """The offset in `raw` of character `offset` of the scalar that starts at `start` and reads as `value`."""
    start = _skip_properties(raw, start)
    first = raw[start : start + 1]
    if first in ("|", ">"):
        return _in_block(raw, start, value, offset)
    if first == '"':
        return _in_flow(raw, start + 1, offset, _double_unit)
    if first == "'":
        return _in_flow(raw, start + 1, offset, _single_unit)
    return _in_flow(raw, start, offset, _plain_unit)


def _skip_properties(raw: str, start: int) -> int:
    """Past an anchor and a tag, which may stand before the scalar."""
    while raw[start : start + 1] in ("&", "!"):
        while start < len(raw) and not raw[start].isspace():
            start += 1
        while start < len(raw) and raw[start].isspace():
            start += 1
    return start


class _Unit(NamedTuple):
    """A piece of raw text and how many characters of the value it makes."""

    end: int
    length: int


_UnitReader: TypeAlias = Callable[[str, int], _Unit]


def _plain_unit(_raw: str, at: int) -> _Unit:
    return _Unit(at + 1, 1)


def _single_unit(raw: str, at: int) -> _Unit:
    return _Unit(at + 2, 1) if raw.startswith("''", at) else _Unit(at + 1, 1)


def _double_unit(raw: str, at: int) -> _Unit:
    if raw[at] != "\\":
        return _Unit(at + 1, 1)
    escaped = raw[at + 1 : at + 2]
    if escaped in ("\n", "\r"):  # an escaped line break joins the lines and makes nothing
        end = at + 2
        while end < len(raw) and raw[end] in _BLANKS:
            end += 1
        return _Unit(end, 0)
    return _Unit(at + _ESCAPE_LENGTHS.get(escaped, 2), 1)


def _in_flow(raw: str, at: int, offset: int, unit: _UnitReader) -> int:
    """Walks a flow scalar: a line break with its blanks makes one space, or one break less than there are."""
    made = 0
    while at < len(raw):
        step = _fold(raw, at) or unit(raw, at)
        if made + step.length > offset:
            return at
        made += step.length
        at = step.end
    return len(raw)


def _fold(raw: str, at: int) -> _Unit | None:
    if raw[at] not in " \t\n\r":
        return None
    end, breaks = at, 0
    while end < len(raw) and raw[end] in " \t\n\r":
        breaks += raw[end] == "\n"
        end += 1
    return _Unit(end, max(1, breaks - 1)) if breaks else None


def _in_block(raw: str, start: int, value: str, offset: int) -> int:
    """Walks a block scalar line by line: the content of each raw line stands in the value in the same order."""
    at = raw.find("\n", start) + 1
    indent = _indentation(raw, start, at)
    made = 0
    while at < len(raw):
        end = raw.find("\n", at)
        end = len(raw) if end < 0 else end
        content = raw[at + indent : end].rstrip("\r")
        found = value.find(content, made) if content else made
        if found < 0 or offset < found:
            return min(at + indent, end)
        if offset <= found + len(content):
            return at + indent + offset - found
        made = found + len(content) + (1 if not content else 0)
        at = end + 1
    return len(raw)


def _indentation(raw: str, start: int, body: int) -> int:
    """How many columns each line of a block scalar is indented: those of its first line that is not blank.

    An explicit indicator counts from the parent's indentation, which is not known here; but the first content line of
    such a scalar begins with blanks that belong to the value, so they are subtracted by comparing with the header.
    """
    header = raw[start + 1 : body].split("#", maxsplit=1)[0].strip()
    digits = [char for char in header if char.isdigit()]
    while body < len(raw):
        end = raw.find("\n", body)
        line = raw[body : len(raw) if end < 0 else end]
        if line.strip():
            blanks = len(line) - len(line.lstrip(" "))
            return _parent_indentation(raw, start) + int(digits[0]) if digits else blanks
        if end < 0:
            break
        body = end + 1
    return 0


def _parent_indentation(raw: str, start: int) -> int:
    """The column of the collection that holds a block scalar: its key, or its dash when it is a list's own member."""
    line = raw[raw.rfind("\n", 0, start) + 1 : start]
    return len(line) - len(line.lstrip(" -")) if line.strip(" -") else max(line.rfind("-"), 0)
