"""Whether a workflow runs far more often in an hour than it used to: the Poisson tail of the count. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from atomctl.insight.history import Ended
from atomctl.insight.likelihood import poisson_log_tail
from atomctl.insight.model import EVIDENCE, Candidate, Detector, Kind, Severity, day_of, microseconds

DETECTOR = Detector("run-rate")

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class RateRule:
    """When an hour's count is unlikely enough.

    Attributes:
        hours: hours before the judged one that say what is usual; those without any run count as zero.
        least_hours: of these there must be at least so many since the first run that is known.
        prior: runs an hour of an imagined hour that is mixed in, so that a silent past is no rate of 0.
        least: runs below which nothing is raised.
        warning: common logarithm of the tail probability from which on it is raised.
        critical: the same, for the higher severity.
    """

    hours: int = 168
    least_hours: int = 24
    prior: float = 1.0
    least: int = 10
    warning: float = -5.0
    critical: float = -12.0


DEFAULT = RateRule()


def detect(runs: Sequence[Ended], rule: RateRule = DEFAULT) -> Candidate | None:
    """What the hour of the newest run of one workflow, given oldest first, says; None if it is as usual."""
    if not runs:
        return None
    counts = Counter(_hour_of(run.ended_at) for run in runs)
    hour = max(counts)
    known = min(rule.hours, (hour - min(counts)) // _HOUR)
    seen = counts[hour]
    if known < rule.least_hours or seen < rule.least:
        return None
    before = sum(count for at, count in counts.items() if hour - known * _HOUR <= at < hour)
    usual = (before + rule.prior) / (known + 1)
    log_tail = poisson_log_tail(seen, usual) / math.log(10)
    if log_tail > rule.warning:
        return None
    inside = [run for run in runs if _hour_of(run.ended_at) == hour]
    name = runs[-1].workflow
    return Candidate(
        kind=Kind.RUN_RATE,
        subject=f"workflow/{name}",
        detector=DETECTOR,
        window=(hour, inside[-1].ended_at),
        observed=float(seen),
        baseline=usual,
        score=-log_tail,
        severity=Severity.CRITICAL if log_tail <= rule.critical else Severity.WARNING,
        summary=f"{name} ran {seen} times within an hour; usual are {usual:.1f}",
        position=microseconds(inside[-1].ended_at),
        evidence=tuple(run.run_id for run in inside[-EVIDENCE:]),
        cooldown=day_of(hour),
    )


def _hour_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
