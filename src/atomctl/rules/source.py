"""The files of a package as things with places: YAML documents, YAML inside their strings, and plain text.

A source answers one question: on which line and column of which file does this value, or this character of this text,
stand? The answer is worked out only for findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from atomctl.errors import AtomError
from atomctl.rules.model import Path
from atomctl.rules.scalar_text import LineMap, scalar_offset
from atomctl.wpk.source_yaml import Node, read_yaml

MAX_NESTING = 3
"""How many strings deep YAML inside YAML is followed."""


class Source(Protocol):
    """Where findings stand."""

    @property
    def file(self) -> str:
        """The name of the file inside the package."""
        ...

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Line and column, from 1, of the entry at a path, or of a character of the text at that path."""
        ...


class TextSource(NamedTuple):
    """A file that is text from end to end; paths into it are empty."""

    file: str
    lines: LineMap

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """Line and column of a character; of the first one without an offset."""
        del path
        return self.lines.place(offset or 0)


class YamlSource(NamedTuple):
    """One YAML document of a file."""

    file: str
    lines: LineMap
    node: Node

    @property
    def value(self) -> Any:
        """The document as plain values."""
        return self.node.value

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """The place of the key (or list member) at the path, or of a character of the text there."""
        if offset is None:
            position = self.node.position(path)
            return position.line, position.column
        return self.lines.place(self.character(path, offset))

    def character(self, path: Path, offset: int) -> int:
        """The offset in the file of a character of the text at the path."""
        start = self.node.value_position(path)
        value = value_at(self.value, path)
        begin = self.lines.offset(start.line, start.column)
        return scalar_offset(self.lines.text, begin, value if isinstance(value, str) else "", offset)


class NestedSource(NamedTuple):
    """A YAML document that stands inside a string of another one."""

    outer: YamlSource | NestedSource
    path: Path
    inner: YamlSource

    @property
    def file(self) -> str:
        """The file of the outermost document."""
        return self.outer.file

    @property
    def value(self) -> Any:
        """The inner document as plain values."""
        return self.inner.value

    def place(self, path: Path, offset: int | None = None) -> tuple[int, int]:
        """The place in the outermost file."""
        line, column = self.inner.place(path, offset)
        return self.outer.place(self.path, self.inner.lines.offset(line, column))


Document = YamlSource | NestedSource


def value_at(value: Any, path: Path) -> Any:
    """The value at a path, or None where it leads nowhere."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def exists(value: Any, path: Path) -> bool:
    """Whether something stands at a path."""
    return not path or _holds(value_at(value, path[:-1]), path[-1])


def _holds(parent: Any, step: str | int) -> bool:
    if isinstance(parent, Mapping):
        return step in parent
    return isinstance(parent, list) and isinstance(step, int) and 0 <= step < len(parent)


def read_documents(data: bytes, file: str) -> tuple[LineMap, list[YamlSource]]:
    """The documents of a YAML or JSON file that are not empty.

    Raises:
        AtomError: WPK101 to WPK107, what `wpk.source_yaml` refuses.
    """
    nodes = read_yaml(data, file)
    lines = LineMap(data.decode().removeprefix("\ufeff"))
    return lines, [YamlSource(file, lines, node) for node in nodes if node.value is not None]


def read_nested(outer: Document, path: Path, text: str) -> list[NestedSource]:
    """The Kubernetes documents written in a string; none if the string is not YAML with objects in it."""
    if "kind:" not in text and '"kind"' not in text:
        return []
    try:
        lines, documents = read_documents(text.encode(), outer.file)
    except (AtomError, UnicodeEncodeError):
        return []
    del lines
    return [NestedSource(outer, path, inner) for inner in documents if isinstance(inner.value, dict)]
