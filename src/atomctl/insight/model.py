"""What insight noticed: candidates as detectors make them, signals as they are stored."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from atomctl.canonical import Digest, digest_json

EVIDENCE = 50
"""Runs a signal names at most; the newest are kept."""


class Kind(enum.StrEnum):
    """What a signal is about."""

    POLICY_VIOLATION = "policy_violation"
    """Policy, validation, permission or four eyes refused something."""
    UNSIGNED_UPLOAD = "unsigned_upload"
    """A package was pushed that nobody trusted signed; the summary says which of the reasons."""
    APPROVAL_AGE = "approval_age"
    AUDIT_GAP = "audit_gap"
    """The audit log does not verify."""
    FAILURE_RATE = "failure_rate"
    DURATION = "duration"
    RUN_RATE = "run_rate"
    METRIC = "metric"
    """A question to Prometheus was answered with more than its threshold."""
    SERIES = "series"
    """The newest point of a watched series is unlike those before it."""


class Severity(enum.StrEnum):
    """How soon somebody should look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class State(enum.StrEnum):
    """Where a signal is with the people who handle it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Label(enum.StrEnum):
    """What somebody says of a signal afterwards; precision is counted from it."""

    USEFUL = "useful"
    NOISE = "noise"


@dataclass(frozen=True, slots=True)
class Detector:
    """Who noticed. A change of what it decides is a new version, whose signals do not repeat those of the old one."""

    name: str
    version: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something a detector would raise.

    Attributes:
        kind: what it is about.
        subject: `kind/name` of what it was noticed on, such as `workflow/restart-web`.
        detector: who noticed.
        window: the times (UTC) of the oldest and newest observation it rests on.
        observed: what was seen, in the detector's unit.
        baseline: what was to be expected, in the same unit.
        score: how unlikely that is: 0 or more, comparable within one detector alone.
        severity: how soon somebody should look.
        summary: one sentence for people, with both figures.
        position: where in its source the newest observation stands; a repeat that stands no further is none.
        evidence: run ids, the newest last.
        cooldown: candidates that are equal in kind, subject, detector and this text are one signal.
    """

    kind: Kind
    subject: str
    detector: Detector
    window: tuple[datetime, datetime]
    observed: float
    baseline: float
    score: float
    severity: Severity
    summary: str
    position: int
    evidence: tuple[UUID, ...] = ()
    cooldown: str = ""

    @property
    def dedup_key(self) -> Digest:
        """What makes two candidates the same signal."""
        name, version = self.detector.name, self.detector.version
        return digest_json([self.kind.value, self.subject, name, version, self.cooldown])


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A row of `insight_signals`; times are UTC."""

    tenant_id: UUID
    id: UUID
    kind: Kind
    subject: str
    detector: Detector
    window: tuple[datetime, datetime]
    observed: float
    baseline: float
    score: float
    severity: Severity
    summary: str
    evidence: tuple[UUID, ...]
    occurrences: int
    state: State
    label: Label | None
    labelled_by: UUID | None
    handled_by: UUID | None
    comment: str | None
    created_at: datetime
    changed_at: datetime


def microseconds(moment: datetime) -> int:
    """A moment as a position: microseconds since 1970."""
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def day_of(moment: datetime) -> str:
    """The UTC day of a moment, the usual cooldown: one signal a day and subject."""
    return moment.date().isoformat()
