"""What is compared: scores of every point of a file, and the points at which they raise."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeAlias

from atomctl.insight.series import Past, SeriesRule, advance

Scores: TypeAlias = list[float]
Detector: TypeAlias = Callable[[Sequence[float]], Scores]


def shape(window: int) -> Detector:
    """The product's detector, with this window."""
    rule = SeriesRule(window=window, threshold=math.inf)

    def scores(values: Sequence[float]) -> Scores:
        past, found = Past(), []
        for value in values:
            past, judged = advance(past, value, rule)
            found.append(judged.score or 0.0)
        return found

    return scores


def zscore(values: Sequence[float]) -> Scores:
    """The distance of each value from the mean of all before it, in their standard deviations: the plain baseline."""
    known = [0.0 if math.isnan(value) else value for value in values]
    sums, squares = list(accumulate(known)), list(accumulate(value * value for value in known))
    found = [0.0] * len(known)
    for index in range(2, len(known)):
        mean = sums[index - 1] / index
        spread = math.sqrt(max(squares[index - 1] / index - mean * mean, 0.0))
        found[index] = abs(known[index] - mean) / spread if spread > 0 else 0.0
    return found


def raised(scores: Scores, threshold: float, cooldown: int) -> list[int]:
    """The points that reach the threshold and follow no raised one within the cooldown."""
    found: list[int] = []
    for point, score in enumerate(scores):
        if score >= threshold and (not found or point - found[-1] > cooldown):
            found.append(point)
    return found
