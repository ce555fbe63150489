"""Which entries of the audit log are signals."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from atomctl.db.ids import new_id
from atomctl.insight import audit_gap
from atomctl.insight.log_rules import LogEntry, judge
from atomctl.insight.model import Kind, Severity

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ACTOR = str(new_id())


def logged(**entry: Any) -> LogEntry:
    return LogEntry(7, NOON, None, {"subject": "package/web@1.0.0", "result": "refused", "actor": ACTOR, **entry})


@pytest.mark.parametrize(
    ("code", "severity"),
    [("TRU201", Severity.WARNING), ("TRU205", Severity.CRITICAL), ("TRU214", Severity.CRITICAL)],
)
def test_a_refused_upload_is_a_signal_about_the_package(code: str, severity: Severity) -> None:
    found = judge(logged(action="package.publish", code=code, why="because"))
    assert found is not None
    assert (found.kind, found.subject, found.severity) == (Kind.UNSIGNED_UPLOAD, "package/web@1.0.0", severity)
    assert code in found.summary
    assert found.position == 7


@pytest.mark.parametrize(
    "entry",
    [
        {"action": "run.blocked", "why": "the risk is 90"},
        {"action": "api.post", "code": "APR502", "why": "you asked for it"},
        {"action": "api.post", "code": "AUT020", "why": "your roles: viewer"},
        {"action": "package.publish", "result": "ok", "detail": {"outcome": "block"}},
    ],
)
def test_what_policy_forbids_is_a_signal_about_who_tried(entry: dict[str, Any]) -> None:
    found = judge(logged(**entry))
    assert found is not None
    assert found.kind is Kind.POLICY_VIOLATION
    assert found.subject == f"principal/{ACTOR}"


@pytest.mark.parametrize(
    "entry",
    [
        {"action": "package.publish", "result": "ok", "detail": {"outcome": "allow"}},
        {"action": "api.post", "code": "RUN602", "why": "too late"},
        {"action": "run.succeeded", "result": "ok"},
        {"action": "package.publish", "code": 7, "detail": [1]},
        {},
    ],
)
def test_everything_else_is_none(entry: dict[str, Any]) -> None:
    assert judge(logged(**entry)) is None


def test_the_same_refusal_on_one_day_is_one_signal_and_on_the_next_day_another() -> None:
    first = judge(logged(action="package.publish", code="TRU201"))
    later = judge(LogEntry(9, NOON.replace(hour=20), None, logged(action="package.publish", code="TRU201").entry))
    next_day = judge(LogEntry(10, NOON.replace(day=2), None, logged(action="package.publish", code="TRU201").entry))
    assert first is not None
    assert later is not None
    assert next_day is not None
    assert first.dedup_key == later.dedup_key != next_day.dedup_key


def test_a_summary_is_never_longer_than_its_column() -> None:
    found = judge(logged(action="package.publish", code="TRU201", why="w" * 5000))
    assert found is not None
    assert len(found.summary) == 500


def test_a_hole_in_the_log_is_critical() -> None:
    found = audit_gap.missing_entry(5, 8, NOON)
    assert found.severity is Severity.CRITICAL
    assert found.observed == 3
