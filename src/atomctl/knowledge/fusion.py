"""Reciprocal rank fusion: one order out of several that measure in different units.

Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods",
SIGIR 2009.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

K = 60
"""How much less a second place is worth than a first; the paper's value."""

Item = TypeVar("Item", bound=Hashable)


def fused(rankings: Sequence[Sequence[Item]], k: int = K) -> Mapping[Item, float]:
    """What each item of any ranking scores, the best first: the sum of 1 / (k + place) over the rankings it is in.

    Items of equal score keep the order in which they were first met.
    """
    scores: dict[Item, float] = defaultdict(float)
    for ranking in rankings:
        for place, item in enumerate(ranking, start=1):
            scores[item] += 1 / (k + place)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))
