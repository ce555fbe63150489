"""Whether a count in a series, such as errors a minute, is far more than its past has: the Poisson tail. Pure.

It shares the past, the gaps and the cooldown of `series`; only the score is another one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from atomctl.insight.likelihood import poisson_log_tail
from atomctl.insight.series import Judged, Past, SeriesRule, advance, judge

_LARGEST = 1_000_000
"""Larger counts are taken for it: among millions a Poisson tail says nothing that a level does not."""


@dataclass(frozen=True, slots=True)
class CountRule:
    """How a series of counts is judged.

    Attributes:
        series: windows, gaps and cooldown; its threshold is the least score that is raised.
        prior: events of an imagined interval that is mixed in, so that a silent past is no rate of 0.
        least: events below which nothing is raised.
    """

    series: SeriesRule = SeriesRule(threshold=6.0)
    prior: float = 1.0
    least: int = 5


DEFAULT = CountRule()


def advance_count(past: Past, value: float | None, rule: CountRule = DEFAULT) -> tuple[Past, Judged]:
    """The past with one count more, and minus the common logarithm of the chance of that many events or more.

    A number below zero is no count: like NaN it is a missing point. Fractions, which `increase()` gives, are rounded.
    """
    if value is None or not math.isfinite(value) or value < 0:
        return advance(past, None, rule.series)
    count = min(round(value), _LARGEST)
    score = _score(past, count, rule) if len(past.values) >= rule.series.warmup else None
    judged = judge(past, score, rule.series)
    rest = rule.series.cooldown if judged.raised else max(0, past.rest - 1)
    after = replace(past, values=(*past.values, float(count))[-rule.series.window :], rest=rest, missing=0)
    return after, judged


def _score(past: Past, count: int, rule: CountRule) -> float:
    usual = (sum(past.values) + rule.prior) / (len(past.values) + 1)
    if count < rule.least or count <= usual:
        return 0.0
    return -poisson_log_tail(count, usual) / math.log(10)
