"""Approvals that nobody decides. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from atomctl.insight.model import Candidate, Detector, Kind, Severity

DETECTOR = Detector("approval-age")
LIMIT = timedelta(hours=4)
"""An approval may wait this long before it is a signal; as the alert AtomApprovalWaiting has it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An approval that is pending: what it is about, since when (UTC)."""

    approval_id: UUID
    kind: str
    subject_ref: UUID
    since: datetime


def judge(waiting: Waiting, now: datetime, limit: timedelta = LIMIT) -> Candidate | None:
    """The signal of one approval, which repeats once each `limit`; None while it is young."""
    hours, allowed = ((span.total_seconds() / 3600) for span in (now - waiting.since, limit))
    if hours < allowed:
        return None
    periods = int(hours // allowed)
    return Candidate(
        kind=Kind.APPROVAL_AGE,
        subject=f"approval/{waiting.approval_id}",
        detector=DETECTOR,
        window=(waiting.since, waiting.since + periods * limit),
        observed=hours,
        baseline=allowed,
        score=hours / allowed,
        severity=Severity.WARNING,
        summary=f"an approval ({waiting.kind}) has waited for {hours:.1f} hours",
        position=periods,
        evidence=(waiting.subject_ref,) if waiting.kind == "run" else (),
    )
