"""What `atomctl stats` draws: no colour, nothing wider than the terminal, and no outlier lost."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from atomctl.cli import drawing, stats
from atomctl.cli.drawing import BLOCKS, PLAIN, bars, glyphs_for, narrowed, sparkline
from atomctl.cli.stats import amount, page, span
from atomctl.insight import overview


def test_nothing_is_the_lowest_level_and_the_most_is_the_highest() -> None:
    assert sparkline([0, 1, 2, 4, 8], 10) == "▁▂▃▅█"
    assert sparkline([0, 0, 0], 10) == "▁▁▁"
    assert sparkline([], 10) == ""


def test_what_is_above_nothing_never_looks_like_nothing() -> None:
    assert sparkline([0, 1, 1_000_000], 10) == "▁▂█"


def test_a_gap_is_not_nothing() -> None:
    assert sparkline([None, 0, 0.5, None], 10) == "·▁█·"
    assert sparkline([None, None], 10) == "··"


def test_an_outlier_stays_when_there_is_little_room() -> None:
    values = [0.0] * 47 + [9.0]
    for width in range(1, 49):
        drawn = sparkline(values, width)
        assert len(drawn) == width
        assert drawn[-1] == "█"


def test_neighbours_are_joined_evenly_and_gaps_only_with_gaps() -> None:
    assert narrowed([1, 2, 3, 4, 5], 2) == [2, 5]
    assert narrowed([None, None, 0, None], 2) == [None, 0]
    assert narrowed([1, 2], 5) == [1, 2]
    with pytest.raises(ValueError, match="at least 1"):
        narrowed([1], 0)


def test_bars_fill_the_room_and_a_small_count_is_seen() -> None:
    lines = bars({"RUNNING": 200, "PAUSED": 1, "QUEUED": 0}, 40)
    assert lines[0] == f"RUNNING  200  {'█' * 26}"
    assert lines[1] == "PAUSED     1  █"
    assert lines[2] == "QUEUED     0"
    assert all(len(line) <= 40 for line in lines)
    assert bars({}, 40) == []


@pytest.mark.parametrize(
    ("encoding", "glyphs"), [("utf-8", BLOCKS), ("ascii", PLAIN), ("latin-1", PLAIN), (None, PLAIN), ("wat", PLAIN)]
)
def test_a_terminal_without_unicode_gets_plain_characters(encoding: str | None, glyphs: drawing.Glyphs) -> None:
    assert glyphs_for(encoding) is glyphs
    assert len(glyphs.levels) == len(set(glyphs.levels + glyphs.gap)) - 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"), (0.0456, "0.046s"), (9.96, "10s"), (59.4, "59s"), (59.7, "1m"), (200, "3m20s"), (3600, "1h"),
        (5400, "1h30m"), (86_400, "24h"), (604_800, "7d"), (619_200, "7d4h"),
    ],
)  # fmt: skip
def test_lengths_of_time_are_short(seconds: float, text: str) -> None:
    assert span(seconds) == text
    assert len(text) <= 8


def test_amounts_are_said_in_their_unit_and_an_unknown_unit_is_left_out() -> None:
    assert amount(0.0431, "share") == "4.3%"
    assert amount(12.0, "count") == "12"
    assert amount(1.25, "seconds") == "1.2s"
    assert amount(None, "count") == "-"
    assert amount(7, "from a newer server") == "7"


def document(**changed: Any) -> dict[str, Any]:
    series = [
        {
            "name": "runs_requested",
            "title": "runs requested",
            "unit": "count",
            "values": [0.0] * 47 + [3.0],
            "whole": 3,
        },
        {"name": "failure_rate", "title": "failure rate", "unit": "share", "values": [None] * 48, "whole": None},
    ]
    return {
        "name": "24h",
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00Z",
        "series": series,
        "figures": [
            {"name": "approvals_waiting", "title": "approvals waiting", "unit": "count", "value": 2},
            {"name": "approval_oldest_seconds", "title": "oldest of them", "unit": "seconds", "value": None},
        ],
        "open_runs": {"AWAITING_APPROVAL": 2},
        **changed,
    }


def test_a_page_says_what_it_is_about_and_stays_within_the_terminal() -> None:
    for columns in (30, 40, 60, 80, 200):
        lines = list(page(document(), columns, BLOCKS))
        assert max(map(len, lines)) <= max(columns, 56), columns
        text = "\n".join(lines)
        assert "The last 24h, until 2026-01-02 00:00 UTC" in text
        assert "each value stands for 30m" in text
        assert "runs requested" in text
        assert "AWAITING_APPROVAL" in text
        assert "oldest of them" not in text


def test_a_narrow_terminal_gets_the_drawing_on_a_line_of_its_own() -> None:
    lines = list(page(document(), 32, PLAIN))
    head = next(number for number, line in enumerate(lines) if "runs requested" in line)
    assert lines[head].endswith("3")
    assert set(lines[head + 1].strip()) == {"_", "#"}
    assert lines[head + 2].startswith("  failure rate")
    assert lines[head + 3].startswith("each value"), "a line of gaps alone is left out"


def test_an_early_gap_does_not_move_what_comes_later() -> None:
    late = {"name": "x", "title": "late", "unit": "share", "values": [None, None, 1.0], "whole": 1.0}
    lines = list(page(document(series=[late]), 20, PLAIN))
    assert lines[3] == "    " + "#"


def test_nothing_at_all_is_drawn_without_complaint() -> None:
    empty = document(series=[], figures=[], open_runs={})
    assert next(page(empty, 80, BLOCKS)).startswith("The last 24h")


def test_no_colour_is_used_so_none_has_to_be_turned_off() -> None:
    source = inspect.getsource(stats) + inspect.getsource(drawing)
    assert "colour(" not in source
    assert "style(" not in source
    assert "\x1b" not in "\n".join(page(document(), 80, BLOCKS))


def test_the_command_and_the_server_agree_on_how_far_one_may_look_back() -> None:
    assert (stats._SHORTEST, stats._LONGEST) == (overview.SHORTEST, overview.LONGEST)
