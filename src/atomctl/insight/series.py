"""Whether the newest point of a series is unlike what came before it: its level, its step, and its shape. Pure.

The score is log1p(z of the distance to the nearest earlier shingle of three points) + log1p(z of the level) + half of
log1p(z of the step from the point before), each z against trailing windows that end before the point. Logarithms let
the three agree rather than one shout; the nearest shingle knows a shape that comes back every day from one that never
was there.

Everything a score rests on stands in `Past`, which is a bounded value: who keeps it and goes on later gets the very
scores of who never stopped. Sums are made anew for each point, so nothing drifts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

_LARGEST = 1e100
"""Numbers beyond it are taken for it: their squares would be no numbers any more."""

_LAGS = 3
_LEAST_DISTANCES = 10
"""So many distances must be known before the next one is compared with them."""


@dataclass(frozen=True, slots=True)
class SeriesRule:
    """How a series is judged.

    Attributes:
        window: points before the judged one that say what is usual.
        warmup: of these there must be at least so many before anything has a score.
        cooldown: points after a raised one during which none is raised, whatever their scores.
        threshold: the score from which on a point is raised.
        relative_floor: the least scale as a share of the mean, so that a flat series is not judged by its last digit.
        absolute_floor: the least scale of all, for a flat series around zero.
        longest_gap: missing points in a row after which the past is forgotten, for it says nothing of now.
    """

    window: int = 200
    warmup: int = 40
    cooldown: int = 50
    threshold: float = 6.0
    relative_floor: float = 0.005
    absolute_floor: float = 1e-6
    longest_gap: int = 100


DEFAULT = SeriesRule()


@dataclass(frozen=True, slots=True)
class Past:
    """What a series was: all that the next score rests on.

    Attributes:
        values: the newest points there were, at most `window`, oldest first; missing ones are not among them.
        distances: of each of the newest shingles to its nearest earlier one, at most `window`.
        rest: points of the cooldown that are still to come.
        missing: points in a row, up to now, that were missing.
    """

    values: tuple[float, ...] = ()
    distances: tuple[float, ...] = ()
    rest: int = 0
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a point: its score, None if nothing can be said; whether it is raised; what was usual."""

    score: float | None
    raised: bool = False
    usual: float = 0.0


def advance(past: Past, value: float | None, rule: SeriesRule = DEFAULT) -> tuple[Past, Judged]:
    """The past with one point more, and what is said of the point.

    None, NaN and infinity are missing points: they have no score, the points around them are neighbours, and after
    `longest_gap` of them in a row the series begins anew.
    """
    if value is None or not math.isfinite(value):
        return _without(past, rule), Judged(None)
    value = max(-_LARGEST, min(value, _LARGEST))
    distance = _nearest(past.values, value)
    score = _score(past, value, distance, rule) if len(past.values) >= rule.warmup else None
    judged = judge(past, score, rule)
    distances = past.distances if distance is None else (*past.distances, distance)
    after = Past(
        values=(*past.values, value)[-rule.window :],
        distances=distances[-rule.window :],
        rest=rule.cooldown if judged.raised else max(0, past.rest - 1),
    )
    return after, judged


def judge(past: Past, score: float | None, rule: SeriesRule) -> Judged:
    """Whether a point with this score is raised: it reaches the threshold, and none was raised shortly before."""
    usual = _mean(past.values) if past.values else 0.0
    return Judged(score, score is not None and score >= rule.threshold and past.rest == 0, usual)


def _without(past: Past, rule: SeriesRule) -> Past:
    missing = past.missing + 1
    if not past.values or missing > rule.longest_gap:
        return Past()
    return Past(past.values, past.distances, max(0, past.rest - 1), missing)


def _score(past: Past, value: float, distance: float | None, rule: SeriesRule) -> float:
    values = past.values
    floor = max(rule.absolute_floor, rule.relative_floor * abs(_mean(values)))
    steps = [after - before for before, after in itertools.pairwise(values)]
    odd = 0.0
    if distance is not None and len(past.distances) >= _LEAST_DISTANCES:
        odd = max(0.0, _distance_in_scales(past.distances, distance, floor))
    level = abs(_distance_in_scales(values, value, floor))
    step = abs(_distance_in_scales(steps, value - values[-1], floor))
    return math.log1p(odd) + math.log1p(level) + math.log1p(step) / 2


def _nearest(values: Sequence[float], value: float) -> float | None:
    """The distance of the newest shingle to the nearest one that shares no point with it; None if there is none."""
    if len(values) < 2 * _LAGS - 1:
        return None
    first, second = values[-2], values[-1]
    earlier = zip(values, values[1:], values[2:-2], strict=False)
    return math.sqrt(
        min(
            [(a - first) * (a - first) + (b - second) * (b - second) + (c - value) * (c - value) for a, b, c in earlier]
        )
    )


def _distance_in_scales(usual: Sequence[float], value: float, floor: float) -> float:
    mean = _mean(usual)
    spread = math.sqrt(sum([(each - mean) * (each - mean) for each in usual]) / len(usual))
    return (value - mean) / max(spread, floor)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
