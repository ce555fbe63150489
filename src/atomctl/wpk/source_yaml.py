"""Reads YAML as Kubernetes does, remembers where everything stands, and refuses what readers disagree about.

The parser is libyaml's event stream, walked without recursion: its own composer recurses in C, and a few hundred
kilobytes of `[` crash the process (PyYAML 6.0). The walk builds the plain value and keeps, beside it, the events it
came from; a line and a column are computed only when somebody asks for them.

Limits: 1 MiB, 64 levels, and aliases that stand for at most 65,536 values and characters together. Refused: duplicate
keys, keys that are not text, unknown tags, numbers that are not finite, merge keys that are not first.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # the stubs leave out its one useful name

from atomctl.canonical import Json
from atomctl.errors import AtomError, Code
from atomctl.wpk import codes
from atomctl.wpk.positions import Path, Place, Position, Text, find
from atomctl.wpk.scalars import key_text, resolve

__all__ = ["Node", "Path", "Position", "read_yaml"]

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64
ALIAS_BUDGET: Final = 1 << 16
"""Values and characters that all aliases of one document may stand for."""

_FLOAT_TAG: Final = "tag:yaml.org,2002:float"
_TAGS: Final[dict[str, type | tuple[type, ...]]] = {
    "tag:yaml.org,2002:bool": bool,
    "tag:yaml.org,2002:int": int,
    _FLOAT_TAG: (int, float),
    "tag:yaml.org,2002:null": type(None),
}
_STRING_TAGS: Final = frozenset({"tag:yaml.org,2002:str", "!"})
_MAPPING_TAGS: Final = frozenset({None, "!", "tag:yaml.org,2002:map"})
_SEQUENCE_TAGS: Final = frozenset({None, "!", "tag:yaml.org,2002:seq"})


class Node:
    """One YAML document: its plain value, and the position of anything in it.

    `value` holds what JSON can hold. Values behind an alias are shared, so treat it as read-only.
    """

    __slots__ = ("_place", "_text", "value")

    def __init__(self, value: Json, place: Place, text: Text) -> None:
        self.value = value
        self._place = place
        self._text = text

    @property
    def file(self) -> str:
        """The name the file was read under."""
        return self._text.file

    def position(self, path: Path = ()) -> Position:
        """Where the entry at `path` begins: at its key in a mapping, at itself in a sequence.

        A path that leads nowhere gives the deepest entry on it that exists, so there is always a position.
        """
        return self._text.position(find(self._place, path)[0].start_mark.index)

    def value_position(self, path: Path = ()) -> Position:
        """Where the value at `path` begins; as `position`, but behind the key."""
        return self._text.position(find(self._place, path)[1].event.start_mark.index)


def read_yaml(data: bytes, file: str) -> list[Node]:
    """The documents of a YAML or JSON file, in order; `file` is the name that positions carry.

    Raises:
        AtomError: WPK101 not UTF-8; WPK102 not YAML; WPK103, WPK104, WPK105 a limit; WPK106 a duplicate key; WPK107
            what JSON cannot hold. The message starts with file:line:column.
    """
    if len(data) > MAX_BYTES:
        raise AtomError(codes.LARGE_YAML, f"{file}: {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        text = Text(data.decode("utf-8").removeprefix("\ufeff"), file)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise AtomError(codes.TEXT, f"{Position(file, line, column)}: not UTF-8") from None
    try:
        return list(_documents(text))
    except yaml.YAMLError as error:
        raise AtomError(codes.SYNTAX, _syntax(error, text)) from None


def _syntax(error: yaml.YAMLError, text: Text) -> str:
    mark = getattr(error, "problem_mark", None)
    offset = mark.index if mark is not None else getattr(error, "position", 0)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be parsed"
    return f"{text.position(min(offset, len(text.text)))}: {reason}"


def _documents(text: Text) -> Iterator[Node]:
    parser = CParser(text.text)
    while (event := parser.get_event()) is not None:
        if isinstance(event, yaml.DocumentStartEvent):
            yield _Document(text).read(parser)


@dataclass(slots=True)
class _Open:
    """A mapping or sequence whose end has not come yet, or the document itself (a sequence of one)."""

    items: Any
    """The dict or list being filled."""
    place: Place
    is_mapping: bool
    key: str | None = None
    key_event: Any = None
    """The event of the key whose value comes next."""
    merged: frozenset[str] = frozenset()
    """Keys that came through `<<` and may still be given a value of their own."""


class _Document:
    """Builds one document from its events."""

    def __init__(self, text: Text) -> None:
        self._text = text
        self._anchors: dict[str, tuple[Json, Place] | None] = {}
        self._budget = ALIAS_BUDGET

    def read(self, parser: Any) -> Node:
        """Takes the events up to the document's end."""
        top = _Open([], Place(None, []), is_mapping=False)
        stack: list[_Open] = []
        while True:
            event = parser.get_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                value, place = self._scalar(event), Place(event, None)
                if event.anchor is not None:
                    self._anchors[event.anchor] = (value, place)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                stack.append(top)
                top = self._open(event, len(stack))
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                value, place = top.items, top.place
                if place.event.anchor is not None:
                    self._anchors[place.event.anchor] = (value, place)
                top = stack.pop()
            elif kind is yaml.AliasEvent:
                value, place = self._alias(event)
            else:
                return Node(top.items[0], top.place.items[0], self._text)
            if not top.is_mapping:
                top.items.append(value)
                top.place.items.append(place)
            elif top.key_event is None:
                self._key(top, value, place)
            else:
                self._entry(top, value, place)

    def _scalar(self, event: Any) -> Json:
        tag, text = event.tag, str(event.value)
        if tag in _STRING_TAGS or (tag is None and not event.implicit[0]):
            return text
        value = resolve(text)
        if tag is not None and not isinstance(value, _TAGS.get(tag, ())):
            raise self._refuse(codes.UNSUPPORTED_YAML, event, f"the tag {_short(tag)} does not fit")
        if tag == _FLOAT_TAG and isinstance(value, int):
            value = float(value)
        if type(value) is float and not math.isfinite(value):
            raise self._refuse(codes.UNSUPPORTED_YAML, event, f"{_short(text)} is not a finite number")
        return value

    def _open(self, event: Any, depth: int) -> _Open:
        is_mapping = type(event) is yaml.MappingStartEvent
        if event.tag not in (_MAPPING_TAGS if is_mapping else _SEQUENCE_TAGS):
            raise self._refuse(codes.UNSUPPORTED_YAML, event, f"the tag {_short(event.tag)} does not fit")
        if depth > MAX_DEPTH:
            raise self._refuse(codes.DEEP_YAML, event, f"more than {MAX_DEPTH} levels")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        return _Open({}, Place(event, {}), True) if is_mapping else _Open([], Place(event, []), False)

    def _alias(self, event: Any) -> tuple[Json, Place]:
        target = self._anchors.get(event.anchor)
        if target is None:
            why = "lies inside the value it names" if event.anchor in self._anchors else "names no anchor"
            raise self._refuse(codes.ALIASES, event, f"the alias *{event.anchor} {why}")
        value, place = target
        self._budget -= _weight(value, self._budget)
        if self._budget < 0:
            raise self._refuse(codes.ALIASES, event, f"aliases stand for more than {ALIAS_BUDGET:,} values")
        return value, Place(event, place.items)

    def _key(self, top: _Open, value: Json, place: Place) -> None:
        key = value if type(value) is str else key_text(value)
        if key is None:
            raise self._refuse(codes.UNSUPPORTED_YAML, place.event, "a key must be text")
        if key in top.items and key not in top.merged:
            raise self._refuse(codes.DUPLICATE_KEY, place.event, f"the key {_short(key)} stands twice in one mapping")
        top.key, top.key_event = key, place.event

    def _entry(self, top: _Open, value: Json, place: Place) -> None:
        key, event, top.key_event = top.key, top.key_event, None
        if key == "<<" and type(event) is yaml.ScalarEvent and event.implicit[0]:
            self._merge(top, value, place, event)
            return
        if top.merged:
            top.merged -= {key}
        top.items[key] = value
        top.place.items[key] = (event, place)

    def _merge(self, top: _Open, value: Json, place: Place, event: Any) -> None:
        """`<<: *defaults` or `<<: [*a, *b]`: the earlier wins, and any key of the mapping itself wins over both."""
        sources: list[tuple[Json, Place]] = [(value, place)]
        if isinstance(value, list):
            sources = list(zip(value, place.items, strict=True))
        if top.items or not all(isinstance(each, dict) for each, _ in sources):
            raise self._refuse(codes.UNSUPPORTED_YAML, event, "a merge key `<<` comes first and takes mappings")
        for each, where in reversed(sources):
            top.items.update(each)
            top.place.items.update(where.items)
        top.merged = frozenset(top.items)

    def _refuse(self, code: Code, event: Any, why: str) -> AtomError:
        return AtomError(code, f"{self._text.position(event.start_mark.index)}: {why}")


def _weight(value: Json, enough: int) -> int:
    """Values and characters in `value`; counting stops soon after `enough`, so the work stays within the budget."""
    total, left = 0, [value]
    while left and total <= enough:
        each = left.pop()
        total += 1
        if isinstance(each, str):
            total += len(each)
        elif isinstance(each, list):
            left.extend(each)
        elif isinstance(each, dict):
            total += sum(map(len, each))
            left.extend(each.values())
    return total


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
