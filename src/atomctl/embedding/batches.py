"""Which texts are computed together: of like length, so that little is filled up, and few, for the memory. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

MOST_TOKENS = 512
"""Tokens of one computation, the filled up ones included: some 20 MB of intermediate numbers. More is slower, too: then
they do not fit into a processor's own memory."""


def batches(lengths: Sequence[int], most: int = MOST_TOKENS) -> Iterator[list[int]]:
    """The places of the texts, the longest first, in groups of at most `most` tokens; a longer text stands alone.

    Args:
        lengths: the tokens of each text.
        most: number of texts times the length of the longest of them.
    """
    group: list[int] = []
    for place in sorted(range(len(lengths)), key=lambda place: -lengths[place]):
        if group and (len(group) + 1) * lengths[group[0]] > most:
            yield group
            group = []
        group.append(place)
    if group:
        yield group
