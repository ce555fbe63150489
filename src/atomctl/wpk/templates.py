"""Finds `${{ expression }}` in text. `$${{` stands for a literal `${{`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.cel_text import tokens

OPEN: Final = "${{"


class Template(NamedTuple):
    """A text cut into literal pieces and expressions, in order: `("text", ...)` or `("cel", ...)`."""

    parts: tuple[tuple[str, str], ...]

    @property
    def expressions(self) -> tuple[str, ...]:
        """The CEL expressions."""
        return tuple(part for kind, part in self.parts if kind == "cel")

    @property
    def whole(self) -> str | None:
        """The expression, if it is all there is: then the result keeps its type."""
        return self.parts[0][1] if len(self.parts) == 1 and self.parts[0][0] == "cel" else None


def has_template(text: str) -> bool:
    """Whether `text` has a `${{` of any kind."""
    return OPEN in text


def split(text: str) -> Template:
    """The pieces of `text`.

    Raises:
        AtomError: WPK118 a `${{` without its `}}`, or nothing between them.
    """
    parts: list[tuple[str, str]] = []
    position, literal = 0, ""
    while (start := text.find(OPEN, position)) >= 0:
        literal += text[position:start]
        if start and text[start - 1] == "$":
            literal, position = literal[:-1] + OPEN, start + len(OPEN)
            continue
        end = _end(text, start + len(OPEN))
        if literal:
            parts.append(("text", literal))
        parts.append(("cel", text[start + len(OPEN) : end].strip()))
        position, literal = end + 2, ""
    literal += text[position:]
    if literal or not parts:
        parts.append(("text", literal))
    return Template(tuple(parts))


def _end(text: str, start: int) -> int:
    """Where the `}}` is that closes a template: outside of texts, and of the braces of map literals."""
    depth = 0
    for token in tokens(text, start):
        if token.text == "{":
            depth += 1
        elif token.text == "}" and depth:
            depth -= 1
        elif token.text == "}" and text.startswith("}}", token.start):
            if not text[start : token.start].strip():
                break
            return token.start
    raise AtomError(codes.BAD_EXPRESSION, "a `${{` has no expression or no closing `}}`")


def strings(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every text in `value`, keys aside, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from strings(each, (*path, index))
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from strings(each, (*path, key))
