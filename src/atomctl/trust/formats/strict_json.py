"""JSON as a verifier reads it: bounded, without duplicate keys, and with every field accounted for.

Two readers that disagree about one document are an attack: whichever value the signer saw, the verifier must see the
same one. So a duplicate key, a byte order mark, a NaN and a field nobody reads are refused rather than resolved.
"""

from __future__ import annotations

import base64
import datetime
import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)


class MalformedError(ValueError):
    """The document is not what the format says; the message names the field."""


class TooLargeError(MalformedError):
    """The document exceeds a limit of size or depth and was not read."""


def read(data: bytes, *, max_bytes: int, max_depth: int) -> Fields:
    """The JSON object in `data`.

    Raises:
        TooLargeError: more than `max_bytes` bytes or nested deeper than `max_depth`; nothing was decoded then.
        MalformedError: not UTF-8 without a byte order mark, not JSON, a duplicate key, a NaN, not an object.
    """
    if len(data) > max_bytes:
        raise TooLargeError(f"{len(data)} bytes, at most {max_bytes} are read")
    brackets = data.count(b"[") + data.count(b"{")
    if brackets > max_depth and _depth(data) > max_depth:  # few brackets cannot nest deep: the usual, quick way out
        raise TooLargeError(f"nested deeper than {max_depth}")
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant)
    except ValueError as error:  # json's and UTF-8's errors are both
        raise MalformedError(f"not strict JSON: {error}") from error
    return Fields.of(value, "")


def _depth(data: bytes) -> int:
    """How deep brackets nest outside strings; at least as deep as any JSON reader would go."""
    deepest = level = 0
    in_string = escaped = False
    for byte in data:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]  # add
        raise MalformedError(f"the key {twice[:60]!a} stands twice")
    return value


def _refuse_constant(text: str) -> NoReturn:
    raise MalformedError(f"{text} is not JSON")


class Fields:
    """One JSON object being read: every getter names the field it misses, and `done` names the fields nobody read.

    Null counts as absent, as in the JSON mapping of Protocol Buffers.
    """

    __slots__ = ("_left", "_value", "where")

    def __init__(self, value: Mapping[str, Any], where: str) -> None:
        self._value = {key: field for key, field in value.items() if field is not None}
        self._left = set(self._value)
        self.where = where

    @classmethod
    def of(cls, value: object, where: str) -> Fields:
        """`value`, which must be an object, ready to be read.

        Raises:
            MalformedError: it is not an object.
        """
        if not isinstance(value, dict):
            raise MalformedError(f"{where or 'the document'} is not an object")
        return cls(value, where)

    def path(self, name: str) -> str:
        """The field's place in the document, for messages."""
        return f"{self.where}.{name}" if self.where else name

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return name in self._value

    def any(self, name: str) -> Any:
        """The field's value as it is.

        Raises:
            MalformedError: it is absent.
        """
        if name not in self._value:
            raise MalformedError(f"{self.path(name)} is missing")
        self._left.discard(name)
        return self._value[name]

    def text(self, name: str, *, limit: int = 1024) -> str:
        """A string of at most `limit` characters."""
        value = self.any(name)
        if not isinstance(value, str) or len(value) > limit:
            raise MalformedError(f"{self.path(name)} is not text of at most {limit} characters")
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise MalformedError(f"{self.path(name)} holds half a surrogate pair, which no UTF-8 can carry")
        return value

    def optional_text(self, name: str, *, limit: int = 1024) -> str | None:
        """A string of at most `limit` characters, or None where it is absent."""
        return self.text(name, limit=limit) if self.has(name) else None

    def object(self, name: str) -> Fields:
        """An object."""
        return Fields.of(self.any(name), self.path(name))

    def array(self, name: str, *, limit: int) -> list[Any]:
        """An array of at most `limit` elements; an absent one is empty, as in Protocol Buffers."""
        value = self.any(name) if self.has(name) else []
        if not isinstance(value, list) or len(value) > limit:
            raise MalformedError(f"{self.path(name)} is not an array of at most {limit}")
        return value

    def objects(self, name: str, *, limit: int) -> list[Fields]:
        """An array of at most `limit` objects."""
        return [Fields.of(item, f"{self.path(name)}[{n}]") for n, item in enumerate(self.array(name, limit=limit))]

    def texts(self, name: str, *, limit: int) -> tuple[str, ...]:
        """An array of at most `limit` strings of at most 1024 characters."""
        items = self.array(name, limit=limit)
        if not all(isinstance(item, str) and len(item) <= 1024 for item in items):
            raise MalformedError(f"{self.path(name)} is not an array of texts")
        return tuple(items)

    def base64(self, name: str, *, limit: int) -> bytes:
        """Standard base64 with padding and nothing else in it, of at most `limit` bytes."""
        text = self.text(name, limit=(limit + 2) // 3 * 4)
        try:
            value = base64.b64decode(text, validate=True)
        except ValueError as error:  # binascii.Error is one
            raise MalformedError(f"{self.path(name)} is not base64") from error
        if base64.b64encode(value).decode() != text:
            raise MalformedError(f"{self.path(name)} is not base64 in its one canonical form")
        return value

    def count(self, name: str, *, limit: int = 2**63 - 1) -> int:
        """A whole number from 0 to `limit`, as a JSON number or (as Protocol Buffers write 64 bits) a string."""
        value = self.any(name)
        if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= 19:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= limit:
            raise MalformedError(f"{self.path(name)} is not a whole number from 0 to {limit}")
        return value

    def time(self, name: str) -> datetime.datetime:
        """An RFC 3339 time with its zone and at most microseconds, converted to UTC."""
        text = self.text(name, limit=40)
        if _RFC3339.fullmatch(text) is None:
            raise MalformedError(f"{self.path(name)} is not an RFC 3339 time with its zone")
        try:
            return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)
        except (ValueError, OverflowError) as error:
            raise MalformedError(f"{self.path(name)} is not a time that exists") from error

    def done(self) -> None:
        """Says that all known fields were read.

        Raises:
            MalformedError: a field is left that nobody read.
        """
        if self._left:
            raise MalformedError(f"{self.where or 'the document'} has an unknown field {min(self._left)[:60]!a}")
