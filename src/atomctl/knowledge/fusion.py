"""Reciprocal rank fusion: one order out of several that measure in different units.

Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods",
SIGIR 2009.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

K = 60
"""How much less a second place is worth than a first; the paper's value."""

Item = TypeVar("Item", bound=Hashable)


def fused(rankings: Iterable[Sequence[Item]], weights: Iterable[float] = itertools.repeat(1.0)) -> Mapping[Item, float]:
    """What each item of any ranking scores, the best first: the sum of weight / (K + place) over the rankings it is in.

    Items of equal score keep the order in which they were first met.
    """
    scores: dict[Item, float] = defaultdict(float)
    for ranking, weight in zip(rankings, weights, strict=False):
        for place, item in enumerate(ranking, start=1):
            scores[item] += weight / (K + place)
    return dict(sorted(scores.items(), key=lambda pair: -pair[1]))
