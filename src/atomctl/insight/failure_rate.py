"""Whether a workflow fails more often than it used to: the binomial tail of its newest runs. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from atomctl.insight.history import Ended
from atomctl.insight.likelihood import binomial_log_tail
from atomctl.insight.model import EVIDENCE, Candidate, Detector, Kind, Severity, day_of, microseconds

DETECTOR = Detector("failure-rate")


@dataclass(frozen=True, slots=True)
class FailureRule:
    """When failures are unlikely enough.

    Attributes:
        newest: runs that are judged.
        baseline: runs before them that say what is usual.
        prior_runs: runs of an imagined past that is mixed in, so that a young workflow is judged mildly.
        prior_rate: how many of those failed, as a share; also keeps a workflow that never failed from having rate 0.
        least: failures below which nothing is raised.
        warning: common logarithm of the tail probability from which on it is raised.
        critical: the same, for the higher severity.
    """

    newest: int = 10
    baseline: int = 200
    prior_runs: float = 20.0
    prior_rate: float = 0.05
    least: int = 3
    warning: float = -3.0
    critical: float = -6.0


DEFAULT = FailureRule()


def detect(runs: Sequence[Ended], rule: FailureRule = DEFAULT) -> Candidate | None:
    """What the newest runs of one workflow, given oldest first, say about it; None if they are as usual.

    The score is minus the common logarithm of the probability of seeing that many failures or more.
    """
    window = runs[-rule.newest :]
    failures = [run for run in window if run.failed]
    if len(failures) < rule.least or not window[-1].failed:
        return None
    expected = _usual_rate(runs[-rule.newest - rule.baseline : -rule.newest], rule)
    log_tail = binomial_log_tail(len(failures), len(window), expected) / math.log(10)
    if log_tail > rule.warning:
        return None
    rate = len(failures) / len(window)
    name = runs[-1].workflow
    return Candidate(
        kind=Kind.FAILURE_RATE,
        subject=f"workflow/{name}",
        detector=DETECTOR,
        window=(window[0].ended_at, window[-1].ended_at),
        observed=rate,
        baseline=expected,
        score=-log_tail,
        severity=Severity.CRITICAL if log_tail <= rule.critical else Severity.WARNING,
        summary=f"{len(failures)} of the newest {len(window)} runs of {name} failed; usual are {expected:.0%}",
        position=microseconds(window[-1].ended_at),
        evidence=tuple(run.run_id for run in failures[-EVIDENCE:]),
        cooldown=day_of(window[-1].ended_at),
    )


def _usual_rate(before: Sequence[Ended], rule: FailureRule) -> float:
    """The share of failures before, mixed with the imagined past; strictly between 0 and 1."""
    failures = sum(run.failed for run in before)
    return (failures + rule.prior_runs * rule.prior_rate) / (len(before) + rule.prior_runs)
