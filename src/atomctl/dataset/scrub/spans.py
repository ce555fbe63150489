"""Places in a text that must not be shown."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from typing import NamedTuple


class Kind(enum.StrEnum):
    """What was found, the surest first: where two overlap, the place is called by the first of them."""

    SECRET = "secret"  # noqa: S105  # a kind, not a secret
    CARD = "card"
    EMAIL = "email"
    IP = "ip"
    OPAQUE = "opaque"
    """Looks random, or is a text in an encoding: a token, a digest, a key, an id."""


_RANK = {kind: rank for rank, kind in enumerate(Kind)}


class Span(NamedTuple):
    """The characters from `start` up to `end`."""

    start: int
    end: int
    kind: Kind


def merged(spans: Iterable[Span]) -> Iterator[Span]:
    """The spans in order, those that overlap as one: no part of any of them is left outside."""
    current: Span | None = None
    for span in sorted(spans):
        if current is None:
            current = span
        elif span.start < current.end:
            kind = min(current.kind, span.kind, key=_RANK.__getitem__)
            current = Span(current.start, max(current.end, span.end), kind)
        else:
            yield current
            current = span
    if current is not None:
        yield current
