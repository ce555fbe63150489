"""Whether a run took far longer or shorter than the runs before it: distance on a log scale, robust. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from atomctl.insight.history import Ended, usable
from atomctl.insight.model import Candidate, Detector, Kind, Severity, day_of, microseconds

DETECTOR = Detector("duration")

_MAD_TO_SIGMA = 1.4826
"""What makes the median absolute deviation of normal data its standard deviation (1 / 0.6745)."""

_LOOK_BACK = 3
"""So many times `baseline` runs are searched for succeeded ones."""


@dataclass(frozen=True, slots=True)
class DurationRule:
    """When a duration is far enough off.

    Attributes:
        baseline: succeeded runs before the judged one that say what is usual.
        least: of these there must be at least so many.
        floor: the least scale, in natural logarithms: a series without any spread does not make every tick a signal.
        warning: scales away from the median from which on it is raised.
        critical: the same, for the higher severity.
        seconds: a difference smaller than this is raised never.
        shortest: seconds below which two durations are alike.
    """

    baseline: int = 100
    least: int = 8
    floor: float = 0.15
    warning: float = 5.0
    critical: float = 12.0
    seconds: float = 1.0
    shortest: float = 0.01


DEFAULT = DurationRule()


def detect(runs: Sequence[Ended], rule: DurationRule = DEFAULT) -> Candidate | None:
    """What the newest succeeded run of one workflow, given oldest first, says; None if it took as long as usual.

    Runs that failed and durations that are none are left out. The score is the distance in scales.
    """
    known = runs[-_LOOK_BACK * rule.baseline - 1 :]
    timed = [(run, run.seconds) for run in known if not run.failed and usable(run.seconds)]
    logs = [math.log(max(seconds or 0.0, rule.shortest)) for _, seconds in timed]
    before = logs[:-1][-rule.baseline :]
    if len(before) < rule.least:
        return None
    newest, seconds = timed[-1][0], timed[-1][1] or 0.0
    middle = median(before)
    score = abs(logs[-1] - middle) / _scale(before, middle, rule.floor)
    usual = math.exp(middle)
    if score < rule.warning or abs(seconds - usual) < rule.seconds:
        return None
    than = "longer" if seconds > usual else "shorter"
    return Candidate(
        kind=Kind.DURATION,
        subject=f"workflow/{newest.workflow}",
        detector=DETECTOR,
        window=(timed[-len(before) - 1][0].ended_at, newest.ended_at),
        observed=seconds,
        baseline=usual,
        score=score,
        severity=Severity.CRITICAL if score >= rule.critical and seconds > usual else Severity.WARNING,
        summary=f"a run of {newest.workflow} took {seconds:.3g} s, far {than} than the usual {usual:.3g} s",
        position=microseconds(newest.ended_at),
        evidence=(newest.run_id,),
        cooldown=f"{than}/{day_of(newest.ended_at)}",
    )


def _scale(logs: Sequence[float], middle: float, floor: float) -> float:
    return max(_MAD_TO_SIGMA * median(abs(value - middle) for value in logs), floor)
