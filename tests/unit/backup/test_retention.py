"""Grandfather, father, son, by example."""

from __future__ import annotations

import datetime
from uuid import UUID

import pytest

from atomctl.backup import codes
from atomctl.backup.retention import Keep, Known, kept, parse_keep
from atomctl.errors import AtomError


def known(number: int, day: str, parent: int | None = None) -> Known:
    at = datetime.datetime.fromisoformat(day).replace(tzinfo=datetime.UTC)
    return Known(UUID(int=number), at, UUID(int=parent) if parent is not None else None)


def ids(reasons: dict[UUID, str]) -> list[int]:
    return sorted(item.int for item in reasons)


def test_the_newest_of_each_day_is_kept() -> None:
    sets = [known(1, "2026-03-01T01:00"), known(2, "2026-03-01T23:00"), known(3, "2026-03-02T01:00")]
    assert ids(kept(sets, Keep(daily=2, weekly=0, monthly=0))) == [2, 3]


def test_days_without_a_set_do_not_count() -> None:
    sets = [known(day, f"2026-03-{day:02d}T01:00") for day in (1, 2, 9, 30)]
    assert ids(kept(sets, Keep(daily=3, weekly=0, monthly=0))) == [2, 9, 30]


def test_each_reason_is_told() -> None:
    sets = [known(1, "2025-12-31T01:00"), known(2, "2026-01-15T01:00"), known(3, "2026-02-28T01:00")]
    reasons = kept(sets, Keep(daily=1, weekly=0, monthly=2, yearly=2))
    assert reasons == {
        UUID(int=3): "newest",
        UUID(int=2): "monthly 2026-01",
        UUID(int=1): "yearly 2025",
    }


def test_a_week_begins_on_monday_and_may_span_years() -> None:
    sets = [known(1, "2026-12-28T01:00"), known(2, "2027-01-03T01:00"), known(3, "2027-01-04T01:00")]
    assert ids(kept(sets, Keep(daily=0, weekly=2, monthly=0))) == [2, 3]


def test_what_a_kept_set_builds_on_is_kept() -> None:
    sets = [known(1, "2026-03-01T01:00"), known(2, "2026-03-02T01:00", 1), known(3, "2026-03-03T01:00", 2)]
    reasons = kept(sets, Keep(daily=1, weekly=0, monthly=0))
    assert reasons == {UUID(int=3): "newest", UUID(int=2): "needed", UUID(int=1): "needed"}


def test_a_held_set_is_kept_with_all_it_builds_on() -> None:
    sets = [known(1, "2026-03-01T01:00"), known(2, "2026-03-02T01:00", 1), known(3, "2026-03-03T01:00")]
    assert ids(kept(sets, Keep(daily=1, weekly=0, monthly=0), held=[UUID(int=2)])) == [1, 2, 3]


def test_the_newest_is_kept_whatever_the_rule() -> None:
    assert ids(kept([known(1, "2020-01-01T00:00")], Keep(0, 0, 0, 0, 0))) == [1]
    assert kept([], Keep()) == {}


def test_a_rule_is_written_as_it_is_read() -> None:
    assert parse_keep("daily=7, weekly=5,monthly=12") == Keep(0, 7, 5, 12, 0)
    assert str(parse_keep("yearly=3,hourly=24")) == "hourly=24,yearly=3"


@pytest.mark.parametrize("text", ["", "daily", "daily=", "daily=-1", "daily=1;weekly=2", "decades=1", "daily=0"])
def test_a_rule_that_cannot_be_read_or_keeps_nothing_is_refused(text: str) -> None:
    with pytest.raises(AtomError) as caught:
        parse_keep(text)
    assert caught.value.code is codes.NOT_KEPT
