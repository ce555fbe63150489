"""The last lines of a log."""

from __future__ import annotations

from atomctl.runs.log_tail import Tail, tail_of


def test_the_last_lines_are_whole_and_in_order() -> None:
    assert tail_of(b"one\ntwo\nthree\n", 2, whole=True) == Tail((b"two", b"three"), more=True)
    assert tail_of(b"one\ntwo", 5, whole=True) == Tail((b"one", b"two"), more=False)
    assert tail_of(b"", 5, whole=True) == Tail((), more=False)


def test_half_a_line_at_the_beginning_is_left_out_unless_it_is_all_there_is() -> None:
    assert tail_of(b"f a line\nwhole\n", 5, whole=False) == Tail((b"whole",), more=True)
    assert tail_of(b"f a very long line", 5, whole=False) == Tail((b"f a very long line",), more=True)


def test_what_a_program_overwrote_in_its_line_is_gone() -> None:
    assert tail_of(b"10%\r50%\r100%\r\n", 5, whole=True).lines == (b"100%",)
