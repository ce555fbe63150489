"""The page about dashboards, line by line, as far as it has commands."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.command import Atomctl
from tests.acceptance.test_pages import follow


def test_the_page_about_dashboards_works_as_written(instance_folder: Path) -> None:
    printed, work = follow("docs/how-to/dashboards.md", instance_folder)
    assert "The last 24h, until" in printed
    assert "each value stands for 30m" in printed
    assert "The last 1h, until" in printed
    week = json.loads((work / "week.json").read_text())
    assert week["schema"] == "atom.stats/v1"
    assert week["part_seconds"] == 168 * 3600 / 48


def test_stats_see_what_happened_and_obey_the_terminal(atomctl: Atomctl) -> None:
    atomctl("init", "seen-hello", "--from", "hello-atom")
    atomctl("pack", "seen-hello", "--out", "seen.wpk")
    atomctl("push", "seen.wpk", expect=10)
    atomctl("sign", "seen.wpk", "--key", "atom.key")
    atomctl("push", "seen.wpk")
    atomctl("run", "seen-hello", "--reason", "to be seen")
    seen = json.loads(atomctl("stats", "--since", "1h", "-o", "json").stdout)
    whole = {series["name"]: series["whole"] for series in seen["series"]}
    assert whole["runs_requested"] >= 1
    plain = atomctl("stats", env={"COLUMNS": "60", "PYTHONIOENCODING": "ascii", "NO_COLOR": "1"}).stdout
    assert plain.isascii()
    assert max(map(len, plain.splitlines())) <= 60
    assert "\x1b" not in plain


def test_a_time_that_is_too_short_or_too_long_is_refused(atomctl: Atomctl) -> None:
    for since in ("1m", "2161h"):
        assert "5m to 2160h" in atomctl("stats", "--since", since, expect=2).stderr
