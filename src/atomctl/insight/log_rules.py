"""What single entries of the audit log say: refused uploads and violated policy. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atomctl.access import codes as access
from atomctl.approvals import codes as approvals
from atomctl.canonical import Json
from atomctl.insight.model import Candidate, Detector, Kind, Severity, day_of
from atomctl.trust import codes as trust

DETECTOR = Detector("audit-entries")

_FOUR_EYES = frozenset({approvals.NOT_SECOND_PERSON.id, approvals.WRONG_ROLE.id, approvals.ALREADY_VOTED.id})
_VERIFICATION = "TRU2"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry as the log has it: its index, its time (UTC), the run it belongs to, and what was recorded."""

    index: int
    time: datetime
    run_id: UUID | None
    entry: Mapping[str, Json]

    def text(self, name: str) -> str:
        """A field of the entry; empty where it says nothing."""
        value = self.entry.get(name)
        return value if isinstance(value, str) else ""


def judge(logged: LogEntry) -> Candidate | None:
    """The signal an entry stands for; None for almost all of them."""
    action, code = logged.text("action"), logged.text("code")
    if action == "package.publish" and code.startswith(_VERIFICATION):
        return _upload(logged, code)
    if action == "package.publish" and _outcome(logged) == "block":
        return _violation(logged, f"{logged.text('subject')} was published and is decided `block`", Severity.WARNING)
    if action == "run.blocked":
        return _violation(logged, f"a run was blocked: {logged.text('why')}", Severity.WARNING)
    if logged.text("result") == "refused" and code in _FOUR_EYES:
        return _violation(logged, f"a vote was refused ({code}): {logged.text('why')}", Severity.WARNING)
    if logged.text("result") == "refused" and code == access.FORBIDDEN.id:
        return _violation(logged, f"{action} was refused ({code}): {logged.text('why')}", Severity.INFO)
    return None


def _upload(logged: LogEntry, code: str) -> Candidate:
    unsigned = code == trust.UNSIGNED.id
    return _once(
        logged,
        Kind.UNSIGNED_UPLOAD,
        logged.text("subject"),
        Severity.WARNING if unsigned else Severity.CRITICAL,
        f"an upload was refused ({code}): {logged.text('why')}",
    )


def _violation(logged: LogEntry, summary: str, severity: Severity) -> Candidate:
    actor = logged.text("actor")
    subject = f"principal/{actor}" if actor else logged.text("subject")
    return _once(logged, Kind.POLICY_VIOLATION, subject, severity, summary)


def _once(logged: LogEntry, kind: Kind, subject: str, severity: Severity, summary: str) -> Candidate:
    return Candidate(
        kind=kind,
        subject=subject,
        detector=DETECTOR,
        window=(logged.time, logged.time),
        observed=1.0,
        baseline=0.0,
        score=1.0,
        severity=severity,
        summary=summary[:500],
        position=logged.index,
        evidence=(logged.run_id,) if logged.run_id else (),
        cooldown=f"{logged.text('code')}/{day_of(logged.time)}",
    )


def _outcome(logged: LogEntry) -> Json:
    detail = logged.entry.get("detail")
    return detail.get("outcome") if isinstance(detail, dict) else None
