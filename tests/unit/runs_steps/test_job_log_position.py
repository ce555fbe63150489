"""Reading a container's log through breaks: no line is lost, none comes twice."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.runs.steps.jobs.log_position import LogPosition


def stamped(second: int, fraction: int, text: str) -> bytes:
    return f"2026-01-01T00:00:{second:02d}.{fraction:09d}Z {text}".encode()


LOGS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2), st.sampled_from(["a", "b", ""])), max_size=40).map(
    lambda lines: [stamped(*line) for line in sorted(lines, key=lambda line: line[0])]
)


def served(log: list[bytes], since: str | None) -> list[bytes]:
    """What the node answers: everything from that second on."""
    return [line for line in log if since is None or line[:19] >= since.encode()[:19]]


@settings(max_examples=100, deadline=None)
@given(log=LOGS, breaks=st.lists(st.integers(0, 15), max_size=6))
def test_whatever_breaks_every_line_is_taken_once_and_in_order(log: list[bytes], breaks: list[int]) -> None:
    position, taken = LogPosition(), list[bytes]()
    for length in (*breaks, len(log)):
        position.reopen()
        for line in served(log, position.since)[:length]:
            if (said := position.take(line)) is not None:
                taken.append(said)
    assert taken == [line.split(b" ", 1)[1] for line in log]


def test_two_equal_lines_of_one_moment_are_two_lines() -> None:
    position = LogPosition()
    line = stamped(1, 5, "again")
    assert [position.take(line), position.take(line)] == [b"again", b"again"]
    position.reopen()
    assert [position.take(line), position.take(line), position.take(line)] == [None, None, b"again"]


def test_what_the_node_says_itself_is_no_line_of_the_step() -> None:
    position = LogPosition()
    words = b"unable to retrieve container logs for containerd://1234"
    assert not position.is_said(words)
    assert position.take(words) is None


def test_the_rest_of_a_line_that_came_in_pieces_is_kept() -> None:
    position = LogPosition()
    long = stamped(1, 1, "x" * 1_100_000)
    assert position.take(long) is not None
    assert position.is_said(b"the rest")
    assert position.take(b"the rest") == b"the rest"
