"""When the workers have the controls checked."""

from __future__ import annotations

import datetime
import sys
import threading

import pytest

from atomctl.controls.schedule import Rhythm, _wait, due
from atomctl.errors import ExitCode

NOW = datetime.datetime(2026, 3, 8, 12, tzinfo=datetime.UTC)
WEEK = Rhythm(every=datetime.timedelta(days=7))
HOUR = datetime.timedelta(hours=1)


@pytest.mark.parametrize(
    ("last", "running_for", "expected"),
    [
        (None, HOUR, False),
        (None, WEEK.first_after, True),
        (NOW - datetime.timedelta(days=7), HOUR, True),
        (NOW - datetime.timedelta(days=6), 24 * HOUR, False),
    ],
    ids=["a new instance is left alone", "then the first is due", "a week is over", "a week is not over"],
)
def test_a_check_is_due_once_a_week(
    last: datetime.datetime | None, running_for: datetime.timedelta, expected: bool
) -> None:
    assert due(last, NOW, running_for, WEEK) is expected


@pytest.mark.parametrize(("code", "expected"), [(0, ExitCode.OK), (1, ExitCode.NO), (3, ExitCode.SERVICE)])
def test_the_exit_code_of_a_check_is_told(code: int, expected: ExitCode) -> None:
    argv = [sys.executable, "-S", "-c", f"raise SystemExit({code})"]
    assert _wait(argv, threading.Event(), HOUR) is expected


def test_a_check_is_ended_with_its_worker() -> None:
    stop = threading.Event()
    stop.set()
    assert _wait([sys.executable, "-S", "-c", "input()"], stop, HOUR) is None
