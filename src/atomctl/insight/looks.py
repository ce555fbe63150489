"""What the patrol looks at: it reads rows, the pure detectors judge, and the position moves on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from atomctl.audit.leaf import entry_of
from atomctl.audit.live import verify_live
from atomctl.audit.note import VerifierKey
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.insight import approval_age, audit_gap, duration, failure_rate, log_rules, run_rate
from atomctl.insight.approval_age import Waiting
from atomctl.insight.history import Ended
from atomctl.insight.log_rules import LogEntry
from atomctl.insight.model import Candidate, microseconds
from atomctl.runs.model import RunState
from atomctl.telemetry import catalog, metrics

ENTRIES = 1_000
"""Audit entries of one tenant read in one round."""

HISTORY = 2_000
"""Newest ended runs of a workflow that the detectors know."""

_OVERLAP = timedelta(minutes=1)
"""A run that ended at this time may be committed so much later; what is seen twice is raised once."""

_FIRST_LOOK = timedelta(days=1)
_VERIFICATION = "audit-verification"
_sql: Any = queries.load(__file__)


def log_entries(conn: Connection, tenant_id: UUID) -> Iterator[Candidate]:
    """Judges each entry of the log once, in order; indexes are gapless, so a hole is a signal by itself."""
    expected = _position(conn, tenant_id, "audit-entries")
    first = expected
    for row in list(_sql.entries_from(conn, tenant_id=tenant_id, first=first, count=ENTRIES)):
        index, at = row["entry_index"], row["sequenced_at"]
        if index != expected:
            yield audit_gap.missing_entry(expected, index, at)
        expected = index + 1
        yield from _found(log_rules.judge(LogEntry(index, at, row["run_id"], entry_of(bytes(row["data"])))))
    if expected != first:
        _sql.move_cursor(conn, tenant_id=tenant_id, reader="audit-entries", position=expected)


def ended_runs(conn: Connection, tenant_id: UUID) -> Iterator[Candidate]:
    """Judges each run that ended since the last look, with what was known when it ended."""
    position = _position(conn, tenant_id, "ended-runs")
    newest = _moment(position) if position else datetime.now(UTC) - _FIRST_LOOK
    since = newest - _OVERLAP
    for row in list(_sql.workflows_ended_since(conn, tenant_id=tenant_id, since=since)):
        runs = _history(conn, tenant_id, row["workflow"])
        for end in range(1, len(runs) + 1):
            if runs[end - 1].ended_at >= since:
                yield from _found(failure_rate.detect(runs[:end]), duration.detect(runs[:end]))
                newest = max(newest, runs[end - 1].ended_at)
        yield from _found(run_rate.detect(runs))
    if microseconds(newest) > position:
        _sql.move_cursor(conn, tenant_id=tenant_id, reader="ended-runs", position=microseconds(newest))


def old_approvals(conn: Connection, tenant_id: UUID) -> Iterator[Candidate]:
    """Judges the approvals that have waited too long."""
    now = datetime.now(UTC)
    for row in list(_sql.old_approvals(conn, tenant_id=tenant_id, age=approval_age.LIMIT)):
        waiting = Waiting(row["id"], row["subject_kind"], row["subject_ref"], row["requested_at"])
        yield from _found(approval_age.judge(waiting, now))


class Verification:
    """Verifies a log when its last verification is old enough.

    Args:
        trusted: the keys that may have signed the log; none: whoever signed it is taken.
        every: how old.
    """

    def __init__(self, trusted: Sequence[VerifierKey], every: timedelta) -> None:
        self._trusted, self._every = tuple(trusted), every

    def look(self, conn: Connection, tenant_id: UUID) -> Iterator[Candidate]:
        """The signal of a log that does not verify."""
        age = _sql.cursor_age(conn, tenant_id=tenant_id, reader=_VERIFICATION)
        if age is not None and age < self._every.total_seconds():
            return
        try:
            verdict = verify_live(conn, tenant_id, trusted=self._trusted)
        except AtomError:
            # Nothing is signed yet: the next round looks again, and the age of the verification shows how long.
            metrics.increment(catalog.AUDIT_VERIFICATIONS, outcome="unfinished")
            return
        metrics.increment(catalog.AUDIT_VERIFICATIONS, outcome="broken" if verdict.findings else "intact")
        yield from _found(audit_gap.judge(verdict, datetime.now(UTC)))
        _sql.move_cursor(conn, tenant_id=tenant_id, reader=_VERIFICATION, position=verdict.entries)


def _found(*candidates: Candidate | None) -> Iterator[Candidate]:
    return (candidate for candidate in candidates if candidate is not None)


def _history(conn: Connection, tenant_id: UUID, workflow: str) -> list[Ended]:
    rows = _sql.ended_runs(conn, tenant_id=tenant_id, workflow=workflow, count=HISTORY)
    return [_ended(row) for row in rows][::-1]


def _ended(row: dict[str, Any]) -> Ended:
    started, ended = row["started_at"], row["ended_at"]
    return Ended(
        run_id=row["id"],
        workflow=row["workflow"],
        ended_at=ended,
        failed=row["state"] != RunState.SUCCEEDED,
        seconds=None if started is None else (ended - started).total_seconds(),
    )


def _position(conn: Connection, tenant_id: UUID, reader: str) -> int:
    found: int | None = _sql.cursor(conn, tenant_id=tenant_id, reader=reader)
    return found or 0


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=microseconds)
