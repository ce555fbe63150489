"""Going on with a log that another worker began: what is stored is left out, and a log cut at its head says so."""

from __future__ import annotations

import pytest

from atomctl.canonical import digest
from atomctl.runs.resumed_log import Continuation
from atomctl.runs.steps.model import Stream


class Kept:
    def __init__(self) -> None:
        self.data = b""

    def write(self, stream: Stream, data: bytes) -> None:
        self.data += data


def stored(*chunks: bytes) -> list[tuple[int, str]]:
    return [(len(chunk), digest(chunk)) for chunk in chunks]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_only_what_is_new_is_written_however_it_comes(size: int) -> None:
    kept, text = Kept(), b"one\ntwo\nthree\nfour\n"
    log = Continuation(kept, stored(b"one\ntw", b"o\nth"))
    for start in range(0, len(text), size):
        log.write("stdout", text[start : start + size])
    assert kept.data == b"ree\nfour\n"


def test_a_log_whose_beginning_is_gone_says_so_and_loses_nothing_that_was_read() -> None:
    kept = Kept()
    log = Continuation(kept, stored(b"one\n", b"two\n"))
    log.write("stdout", b"two\nthree\n")
    assert kept.data.endswith(b"two\nthree\n")
    assert b"has not kept the log from its beginning" in kept.data


def test_a_log_with_nothing_stored_is_passed_on_as_it_is() -> None:
    kept = Kept()
    Continuation(kept, []).write("stderr", b"first")
    assert kept.data == b"first"
