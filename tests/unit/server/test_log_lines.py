"""Whole lines out of log bytes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.runs.logs import LogPage, LogPart, Position
from atomctl.server.log_lines import LONGEST_LINE, lines_of, offset_of, position_of


def texts(page: LogPage, start: Position | None = None) -> tuple[list[str], Position]:
    lines, after = lines_of(page, start or Position())
    return [line.text for line in lines], after


def test_a_line_that_is_still_written_is_held_back() -> None:
    page = LogPage((LogPart("a", 0, b"one\ntwo\nthr"),), Position(0, 11), ended=False)
    assert texts(page) == (["one", "two"], Position(0, 8))


def test_the_last_line_of_an_attempt_that_ended_needs_no_newline() -> None:
    page = LogPage((LogPart("a", 0, b"one\ntwo"), LogPart("b", 1, b"x\n")), Position(2, 0), ended=True)
    assert texts(page) == (["one", "two", "x"], Position(2, 0))


def test_a_line_without_an_end_is_shown_once_it_is_too_long() -> None:
    page = LogPage((LogPart("a", 0, b"x" * LONGEST_LINE),), Position(0, LONGEST_LINE), ended=False)
    lines, after = texts(page)
    assert ([len(line) for line in lines], after) == ([LONGEST_LINE], Position(0, LONGEST_LINE))


def test_an_empty_page_stays_where_it_is() -> None:
    assert texts(LogPage((), Position(3, 7), ended=False), Position(3, 7)) == ([], Position(3, 7))


def test_bytes_that_are_no_text_and_carriage_returns_do_not_break_lines() -> None:
    page = LogPage((LogPart("a", 0, b"10%\r20%\r\n\xff\x00\n\n"),), Position(1, 0), ended=False)
    assert texts(page)[0] == ["10%\r20%", "\ufffd\x00", ""]


@given(st.integers(0, 8191), st.integers(0, 2**40 - 1))
def test_an_offset_is_one_number_that_json_carries(attempt: int, byte: int) -> None:
    position = Position(attempt, byte)
    assert position_of(offset_of(position)) == position
    assert offset_of(position) < 2**53


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=5))
def test_however_a_log_is_cut_into_pages_every_line_comes_once_and_whole(data: bytes, cuts: list[int]) -> None:
    seen: list[str] = []
    position = Position()
    for cut in [*sorted(cuts), len(data)]:
        written, ended = data[: min(cut, len(data))], False
        part = LogPart("a", 0, written[position.offset :])
        page = LogPage((part,) if part.data else (), Position(0, len(written)), ended)
        lines, position = lines_of(page, position)
        seen += [line.text for line in lines]
    rest = LogPart("a", 0, data[position.offset :])
    lines, _ = lines_of(LogPage((rest,) if rest.data else (), Position(1, 0), ended=True), position)
    seen += [line.text for line in lines]
    expected = data.split(b"\n")
    expected = expected if expected[-1] else expected[:-1]
    assert seen == [line.rstrip(b"\r").decode(errors="replace") for line in expected]
