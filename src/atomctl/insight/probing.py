"""A question to Prometheus with a threshold, and the signal when the answer lies beyond it."""

from __future__ import annotations

import enum
import math
import operator
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.errors import AtomError
from atomctl.insight import codes
from atomctl.insight.model import Candidate, Detector, Kind, Severity, day_of, microseconds
from atomctl.insight.prometheus import Prometheus
from atomctl.telemetry import catalog, metrics

DETECTOR = Detector("promql")


class Comparison(enum.StrEnum):
    """How a value lies beyond the threshold."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


_HOLDS: Mapping[Comparison, Callable[[float, float], bool]] = {
    Comparison.ABOVE: operator.gt,
    Comparison.AT_LEAST: operator.ge,
    Comparison.BELOW: operator.lt,
    Comparison.AT_MOST: operator.le,
}


@dataclass(frozen=True, slots=True)
class Question:
    """Whether any value of the expression lies beyond the threshold."""

    promql: str
    comparison: Comparison
    threshold: float


@dataclass(frozen=True, slots=True)
class Answer:
    """The value farthest in the direction that was asked about, among how many series, and whether it lies beyond."""

    exceeded: bool
    value: float
    series: int


def ask(actor: Actor, url: str | None, question: Question) -> Answer:
    """The answer of the Prometheus at `url`; no transaction may be open, since it can take ten seconds.

    Raises:
        AtomError: AUT020 the actor may not, INS801 no Prometheus is configured, INS802 to INS813.
    """
    require(actor, Verb.PROBE, Resource.SIGNAL)
    if url is None:
        raise AtomError(codes.NOT_CONFIGURED, "neither PROMETHEUS_URL nor PROM_URL is set")
    try:
        answer = compare(question, Prometheus(url).instant(question.promql))
    except AtomError:
        metrics.increment(catalog.PROMETHEUS_PROBES, outcome="failed")
        raise
    metrics.increment(catalog.PROMETHEUS_PROBES, outcome="exceeded" if answer.exceeded else "quiet")
    return answer


def compare(question: Question, values: Sequence[float]) -> Answer:
    """Judges at least one value; an infinite one is given as the largest there is, which JSON can hold. Pure."""
    up = question.comparison in {Comparison.ABOVE, Comparison.AT_LEAST}
    farthest = max(values) if up else min(values)
    exceeded = _HOLDS[question.comparison](farthest, question.threshold)
    return Answer(exceeded, _finite(farthest), len(values))


def candidate(question: Question, answer: Answer, now: datetime) -> Candidate:
    """The signal of an answer that lies beyond the threshold; each time it is asked counts as an occurrence. Pure."""
    distance = abs(answer.value - question.threshold) / max(abs(question.threshold), 1.0)
    limit = f"{question.comparison} {question.threshold:g}"
    return Candidate(
        kind=Kind.METRIC,
        subject=f"promql/{' '.join(question.promql.split())[:280]}",
        detector=DETECTOR,
        window=(now, now),
        observed=answer.value,
        baseline=question.threshold,
        score=_finite(distance),
        severity=Severity.WARNING,
        summary=f"{answer.value:g} {limit}, among {answer.series} series",
        position=microseconds(now),
        cooldown=f"{limit}/{day_of(now)}",
    )


def _finite(value: float) -> float:
    return math.copysign(sys.float_info.max, value) if math.isinf(value) else value
