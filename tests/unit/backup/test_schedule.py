"""When a backup or a drill is due."""

from __future__ import annotations

import datetime

import pytest

from atomctl.backup.figures import readings
from atomctl.backup.ledger import Newest
from atomctl.backup.schedule import Timetable, backup_due, drill_due, timetable
from atomctl.telemetry import catalog

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
DAY, WEEK, OFF = datetime.timedelta(days=1), datetime.timedelta(days=7), datetime.timedelta(0)
TIMES = Timetable(backup_every=DAY, drill_every=WEEK)
LONG = datetime.timedelta(hours=1)


def newest(
    taken: datetime.timedelta | None = None,
    drilled: datetime.timedelta | None = None,
    tried: datetime.timedelta | None = None,
    rto: float | None = None,
) -> Newest:
    """The state in which these things are so long ago."""
    taken_at, drilled_at, tried_at = (None if ago is None else NOW - ago for ago in (taken, drilled, tried))
    return Newest(taken_at, drilled_at, tried_at, rpo=rto, rto=rto, now=NOW)


@pytest.mark.parametrize(("ago", "due"), [(DAY, True), (DAY * 9, True), (DAY - datetime.timedelta(seconds=1), False)])
def test_a_backup_is_due_when_the_newest_is_old_enough(ago: datetime.timedelta, due: bool) -> None:
    assert backup_due(newest(taken=ago), TIMES, LONG) is due


def test_the_first_backup_waits_until_the_instance_has_lived_a_while() -> None:
    assert not backup_due(newest(), TIMES, datetime.timedelta(minutes=1))
    assert backup_due(newest(), TIMES, datetime.timedelta(minutes=2))


def test_an_old_backup_is_followed_at_once() -> None:
    assert backup_due(newest(taken=DAY * 3), TIMES, datetime.timedelta(0))


def test_a_drill_is_due_a_period_after_the_last_try_whether_it_passed_or_not() -> None:
    assert not drill_due(newest(taken=LONG, tried=WEEK - LONG), TIMES)
    assert drill_due(newest(taken=LONG, tried=WEEK), TIMES)
    assert not drill_due(newest(taken=LONG, drilled=WEEK * 2, tried=LONG), TIMES)


def test_the_first_backup_is_drilled_at_once_and_nothing_before_it() -> None:
    assert not drill_due(newest(tried=WEEK * 2), TIMES)
    assert drill_due(newest(taken=datetime.timedelta(0)), TIMES)


def test_what_is_off_is_never_due() -> None:
    nothing = Timetable(backup_every=None, drill_every=None)
    assert not backup_due(newest(taken=DAY * 99), nothing, LONG)
    assert not drill_due(newest(taken=DAY * 99), nothing)


@pytest.mark.parametrize(
    ("backup", "drill", "embedded", "expected"),
    [
        (None, None, True, (DAY, WEEK)),
        (None, None, False, None),
        (OFF, OFF, True, None),
        (OFF, None, True, (None, WEEK)),
        (WEEK, None, False, (WEEK, None)),
        (WEEK, OFF, True, (WEEK, None)),
    ],
)
def test_an_embedded_database_is_backed_up_unless_told_otherwise(
    backup: datetime.timedelta | None,
    drill: datetime.timedelta | None,
    embedded: bool,
    expected: tuple[datetime.timedelta | None, datetime.timedelta | None] | None,
) -> None:
    times = timetable(backup, drill, embedded=embedded)
    assert (times and (times.backup_every, times.drill_every)) == expected


def test_what_never_happened_is_a_figure_too() -> None:
    shown = {reading.metric.name: reading.value for reading in readings(newest())}
    assert shown == {catalog.BACKUP_TAKEN.name: 0, catalog.DRILL_PASSED.name: 0}
    shown = {reading.metric.name: reading.value for reading in readings(newest(DAY, WEEK, WEEK, rto=3.5))}
    assert shown[catalog.BACKUP_TAKEN.name] == (NOW - DAY).timestamp()
    assert shown[catalog.DRILL_PASSED.name] == (NOW - WEEK).timestamp()
    assert shown[catalog.DRILL_RTO.name] == 3.5
