"""Histories of ended runs, as the detectors see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from atomctl.db.ids import new_id
from atomctl.insight.history import Ended

START = datetime(2026, 1, 1, tzinfo=UTC)


def outcomes(text: str, *, every: timedelta = timedelta(hours=1), workflow: str = "work") -> list[Ended]:
    """One run for each character, oldest first: `x` failed, anything else succeeded."""
    return [
        Ended(new_id(), workflow, START + number * every, failed=letter == "x", seconds=10.0)
        for number, letter in enumerate(text)
    ]


def durations(seconds: Sequence[float | None], *, workflow: str = "work") -> list[Ended]:
    """One succeeded run an hour for each duration, oldest first."""
    return [
        Ended(new_id(), workflow, START + timedelta(hours=number), failed=False, seconds=value)
        for number, value in enumerate(seconds)
    ]


def hourly(counts: Sequence[int], *, workflow: str = "work") -> list[Ended]:
    """So many runs in each hour, oldest first."""
    return [
        Ended(new_id(), workflow, START + timedelta(hours=hour, seconds=number), failed=False, seconds=1.0)
        for hour, count in enumerate(counts)
        for number in range(count)
    ]
