"""What can be said about an expression from its text alone, without compiling it: what it reads and how far it grows.

Tokens follow the CEL language definition (cel-spec, `doc/langdef.md`, "Syntax").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

ROOTS: Final = ("params", "steps", "run", "secrets", "response")
"""The variables of an expression; which of them have a value depends on where it stands."""

MAX_GROWTH: Final = 1024
"""How many times an expression may copy its largest input."""

_TOKEN: Final = re.compile(
    r"""
    (?P<text>[bB]?[rR]?(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    |(?P<name>[_a-zA-Z][_a-zA-Z0-9]*)
    |(?P<number>[0-9][0-9a-zA-Z.]*)
    |(?P<space>\s+|//[^\n]*)
    |(?P<symbol>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token(NamedTuple):
    """A piece of an expression and the offset it starts at."""

    kind: str
    text: str
    start: int


class Reference(NamedTuple):
    """Something an expression reads: `params.host` is `("params", "host")`; None is a whole root, or a computed key."""

    root: str
    name: str | None

    def __str__(self) -> str:
        return self.root if self.name is None else f"{self.root}.{self.name}"


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of `text` from `start` on, without spaces and comments."""
    for match in _TOKEN.finditer(text, start):
        if match.lastgroup != "space":
            yield Token(str(match.lastgroup), match[0], match.start())


def references(text: str) -> frozenset[Reference]:
    """What the CEL expression `text` may read. Never too little; a macro's variable named like a root counts too."""
    found, previous, stream = set(), "", [*tokens(text), Token("end", "", len(text)), Token("end", "", len(text))]
    for index, token in enumerate(stream[:-2]):
        if token.kind == "name" and token.text in ROOTS and previous != ".":
            found.add(Reference(token.text, _key(stream[index + 1], stream[index + 2])))
        previous = token.text
    return frozenset(found)


def growth(text: str) -> int:
    """An upper bound for how many copies of its largest input an expression can hold.

    Each `+`, and each comma of a list or map literal, adds one copy; a `map` applies its body's copies to the result of
    another. The product is largest when they are spread evenly.
    """
    stream = list(tokens(text))
    copies = sum(token.text in {"+", ","} for token in stream)
    maps = max(1, sum(token.text == "map" for token in stream))
    return int((copies // maps + 1) ** maps)


def _key(first: Token, second: Token) -> str | None:
    if first.text == "." and second.kind == "name":
        return second.text
    if first.text == "[" and second.kind == "text" and "\\" not in second.text:
        return second.text.lstrip("bBrR").strip("\"'")
    return None
