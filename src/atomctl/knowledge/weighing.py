"""How much the words of a question say. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from atomctl.knowledge.model import Statistics


def weights(statistics: Statistics) -> Mapping[str, float]:
    """What each term says: BM25's inverse document frequency, which is never negative. An unknown one says the most."""
    total = statistics.chunks
    return {term: math.log(1 + (total - count + 0.5) / (count + 0.5)) for term, count in statistics.frequencies.items()}


def selective(statistics: Statistics, depth: int) -> list[str]:
    """The rarest terms that occur, as many as together stand in at most `depth` chunks, but at least one.

    Ranking looks at chunks that have any of these; the others only add to a score. So a question of common words looks
    at a bounded number of chunks, however large the shelf is.
    """
    chosen, reached = list[str](), 0
    for term, count in sorted(statistics.frequencies.items(), key=lambda pair: (pair[1], pair[0])):
        if count == 0:
            continue
        reached += count
        if chosen and reached > depth:
            break
        chosen.append(term)
    return chosen


def coverage(weighed: Mapping[str, float], present: Collection[str]) -> float:
    """The share of a question's weight that the terms present have; 0 if it has no terms."""
    whole = sum(weighed.values())
    return sum(weight for term, weight in weighed.items() if term in present) / whole if whole else 0.0
