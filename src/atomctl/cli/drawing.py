"""Series as one line of characters and counts as bars. Pure: no colour, so nothing is carried by it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Glyphs:
    """What is drawn with: the levels from nothing to most, a gap, the stuff of bars."""

    levels: str
    gap: str
    bar: str


BLOCKS = Glyphs("▁▂▃▄▅▆▇█", "·", "█")
PLAIN = Glyphs("_.:-=+*#", " ", "#")
"""For terminals that speak no Unicode."""


def glyphs_for(encoding: str | None) -> Glyphs:
    """The blocks where the encoding has them, else plain characters."""
    try:
        (BLOCKS.levels + BLOCKS.gap).encode(encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return PLAIN
    return BLOCKS


def sparkline(values: Sequence[float | None], width: int, glyphs: Glyphs = BLOCKS) -> str:
    """At most `width` characters, the oldest value first.

    The lowest level is nothing at all, the highest is the largest value; what is above nothing never looks like
    nothing. A gap stands where there is no value. Where there are more values than characters, neighbours share one and
    the largest of them is shown: an outlier stays to be seen.
    """
    shown = narrowed(values, width)
    largest = max((value for value in shown if value is not None), default=0.0)
    return "".join(_level(value, largest, glyphs) for value in shown)


def _level(value: float | None, largest: float, glyphs: Glyphs) -> str:
    if value is None:
        return glyphs.gap
    if value <= 0 or largest <= 0:
        return glyphs.levels[0]
    steps = len(glyphs.levels) - 1
    return glyphs.levels[max(1, round(value / largest * steps))]


def narrowed(values: Sequence[float | None], width: int) -> list[float | None]:
    """At most `width` values; neighbours are joined in groups as even as can be, to the largest of each.

    Raises:
        ValueError: the width is below 1.
    """
    if width < 1:
        raise ValueError(f"a width is at least 1, got {width}")
    if len(values) <= width:
        return list(values)
    edges = [number * len(values) // width for number in range(width + 1)]
    groups = (values[start:end] for start, end in itertools.pairwise(edges))
    return [max((value for value in group if value is not None), default=None) for group in groups]


def bars(counts: Mapping[str, float], width: int, glyphs: Glyphs = BLOCKS) -> list[str]:
    """A line for each count: its name, its figure, and a bar; the longest fills what `width` leaves for it."""
    if not counts:
        return []
    names = max(map(len, counts))
    figures = max(len(f"{count:g}") for count in counts.values())
    room, largest = max(1, width - names - figures - 4), max(counts.values())
    lines = []
    for name, count in counts.items():
        length = max(1, round(count / largest * room)) if count > 0 else 0
        lines.append(f"{name:<{names}}  {count:>{figures}g}  {glyphs.bar * length}".rstrip())
    return lines
