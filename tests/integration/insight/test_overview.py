"""The main series of a tenant, counted from its record in a real database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.past_runs import Archive, Past
from tests.fakes.yard import Yard, manifest
from tests.integration.insight.test_patrol import STEP, push_unsigned
from tests.integration.insight.test_signals_api import Api, api, served

from atomctl.db.session import Sessions
from atomctl.insight.overview import PARTS, Overview, Series, overview
from atomctl.insight.overview.model import share

__all__ = ["api", "served"]

DAY = timedelta(days=1)
WORK = manifest(STEP)


@pytest.fixture
def archive(yard: Yard) -> Archive:
    return Archive(yard, yard.publish(WORK))


def seen(yard: Yard, length: timedelta = DAY, now: datetime | None = None) -> Overview:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return overview(conn, yard.tenant_id, now=now or datetime.now(UTC), length=length)


def series(found: Overview, name: str) -> Series:
    return next(one for one in found.series if one.name == name)


def figure(found: Overview, name: str) -> float | None:
    return next(one.value for one in found.figures if one.name == name)


def test_runs_are_counted_in_the_part_of_the_day_in_which_they_ended(yard: Yard, archive: Archive) -> None:
    now = datetime.now(UTC)
    archive.add(
        Past(ended_at=now - timedelta(minutes=1)),
        Past(ended_at=now - timedelta(minutes=2), state="FAILED"),
        Past(ended_at=now - timedelta(hours=23, minutes=50)),
        Past(ended_at=now - timedelta(hours=25)),
        Past(ended_at=now - timedelta(minutes=3), dry_run=True),
        Past(ended_at=now - timedelta(minutes=4), state="CANCELLED"),
    )
    found = seen(yard, now=now)
    succeeded, failed, rate = (series(found, name) for name in ("runs_succeeded", "runs_failed", "failure_rate"))
    assert (succeeded.whole, failed.whole) == (2, 1)
    assert rate.whole == pytest.approx(1 / 3)
    assert (succeeded.values[0], succeeded.values[-1], sum(v or 0 for v in succeeded.values)) == (1, 1, 2)
    assert (rate.values[0], rate.values[1], rate.values[-1]) == (0.0, None, 0.5)
    assert series(found, "runs_requested").whole == 4
    assert all(len(one.values) == PARTS for one in found.series)
    assert found.part == timedelta(minutes=30)


def test_step_times_are_quantiles_of_each_part_and_of_the_whole(yard: Yard, archive: Archive) -> None:
    now = datetime.now(UTC)
    for seconds in (1, 2, 3):
        archive.add(Past(ended_at=now - timedelta(minutes=1), took=timedelta(seconds=seconds), log=[b"x\n"]))
    archive.add(Past(ended_at=now - timedelta(hours=12), took=timedelta(seconds=9), log=[b"x\n"]))
    half, most = (series(seen(yard, now=now), name) for name in ("step_seconds_p50", "step_seconds_p95"))
    assert [half.values[-1], half.whole] == pytest.approx([2, 2.5])
    assert [most.values[-1], most.whole] == pytest.approx([2.9, 8.1])
    assert half.values[0] is None


def test_refused_uploads_are_counted_from_the_audit_log(yard: Yard, sequence: Callable[[], int]) -> None:
    push_unsigned(yard)
    assert series(seen(yard), "uploads_refused").whole == 0
    assert (figure(seen(yard), "audit_waiting") or 0) > 0
    assert (figure(seen(yard), "audit_lag_seconds") or 0) > 0
    sequence()
    found = seen(yard)
    assert series(found, "uploads_refused").whole == series(found, "uploads_refused").values[-1] == 1
    assert (figure(found, "audit_waiting"), figure(found, "audit_lag_seconds")) == (0, None)
    assert series(seen(yard, now=datetime.now(UTC) - timedelta(days=2)), "uploads_refused").whole == 0


def test_what_waits_is_as_of_now(yard: Yard) -> None:
    run = yard.request(yard.publish(WORK))
    found = seen(yard)
    assert dict(found.open_runs) == {run.state.value: 1}
    assert series(found, "runs_requested").values[-1] == 1
    waits = figure(found, "approvals_waiting")
    assert waits == series(found, "approvals_requested").whole
    assert (figure(found, "approval_oldest_seconds") is None) == (waits == 0)


def test_another_tenant_sees_nothing_of_it(
    yard: Yard, archive: Archive, sessions: Sessions, make_tenant: Callable[[str], UUID]
) -> None:
    archive.add(Past(ended_at=datetime.now(UTC) - timedelta(minutes=1), log=[b"x\n"]))
    push_unsigned(yard)
    other = make_tenant("globex")
    with sessions.tenant(other) as conn:
        found = overview(conn, other, now=datetime.now(UTC), length=DAY)
        foreign = overview(conn, yard.tenant_id, now=datetime.now(UTC), length=DAY)
    for each in (found, foreign):
        assert {one.whole for one in each.series} <= {0, None}
        assert {one.value for one in each.figures} <= {0, None}
        assert each.open_runs == {}


def test_the_api_gives_the_same_and_refuses_a_time_that_is_no_good(
    api: Api, make_tenant: Callable[[str], UUID]
) -> None:
    tenant = make_tenant("acme")
    answer: dict[str, Any] = api.ask(tenant, "GET", "stats", seconds=3600).json()
    assert answer["schema"] == "atom.stats/v1"
    assert answer["part_seconds"] == 75
    assert [one["name"] for one in answer["series"]][:2] == ["runs_requested", "runs_succeeded"]
    for seconds in ("299", str(90 * 86_400 + 1), "soon", "-1"):
        assert api.ask(tenant, "GET", "stats", seconds=seconds).status_code == 422


@pytest.mark.parametrize(
    ("failed", "succeeded", "expected"), [(0, 0, None), (None, None, None), (1, 3, 0.25), (2, 0, 1.0), (0, 5, 0.0)]
)
def test_a_share_of_nothing_is_no_share(failed: float | None, succeeded: float | None, expected: float | None) -> None:
    assert share(failed, succeeded) == expected
