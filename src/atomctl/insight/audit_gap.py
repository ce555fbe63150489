"""Whether a tenant's audit log still verifies, as signals. Pure."""

from __future__ import annotations

from datetime import datetime

from atomctl.audit.verdict import AuditVerdict
from atomctl.insight.model import Candidate, Detector, Kind, Severity, day_of, microseconds

GAP = Detector("audit-index")
VERIFICATION = Detector("audit-verification")


def missing_entry(expected: int, found: int, at: datetime) -> Candidate:
    """The signal of a hole between two indexes, which are given without holes."""
    return _broken(GAP, f"the log goes on at {found} where entry {expected} should be", at, found - expected)


def judge(verdict: AuditVerdict, at: datetime) -> Candidate | None:
    """The signal of a log that does not verify; None for one that does."""
    if not verdict.findings:
        return None
    worst = verdict.findings[0]
    return _broken(VERIFICATION, f"{worst.code.id}: {worst.why}", at, len(verdict.findings))


def _broken(detector: Detector, why: str, at: datetime, findings: float) -> Candidate:
    return Candidate(
        kind=Kind.AUDIT_GAP,
        subject="audit/log",
        detector=detector,
        window=(at, at),
        observed=float(findings),
        baseline=0.0,
        score=float(findings),
        severity=Severity.CRITICAL,
        summary=f"the audit log does not verify: {why}"[:500],
        position=microseconds(at),
        cooldown=day_of(at),
    )
