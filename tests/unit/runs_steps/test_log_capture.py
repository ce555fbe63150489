from __future__ import annotations

from atomctl.runs.masking import Masker
from atomctl.runs.steps.log_capture import LogCapture
from atomctl.runs.steps.model import Stream


class Kept:
    def __init__(self) -> None:
        self.pieces: list[tuple[Stream, bytes]] = []

    def write(self, stream: Stream, data: bytes) -> None:
        self.pieces.append((stream, data))

    def text(self) -> bytes:
        return b"".join(data for _, data in self.pieces)


def test_a_secret_is_masked_per_stream_before_anything_is_kept() -> None:
    kept = Kept()
    capture = LogCapture(kept, Masker(["swordfish"]), 1000)
    capture.write("stdout", b"sword")
    capture.write("stderr", b"careful: ")
    capture.write("stdout", b"fish\n")
    capture.close()
    assert b"".join(data for stream, data in kept.pieces if stream == "stdout") == b"***\n"
    assert b"swordfish" not in kept.text()


def test_too_long_a_log_keeps_its_head_and_its_tail_and_says_what_is_missing() -> None:
    kept = Kept()
    capture = LogCapture(kept, Masker(()), 1000)
    for number in range(1000):
        capture.write("stdout", b"%06d\n" % number)
    capture.close()
    text = kept.text()
    assert capture.dropped == 7000 - 1000
    assert text.startswith(b"000000\n000001\n")
    assert text.endswith(b"000998\n000999\n")
    assert b"atom: 6000 bytes of the log were left out here" in text
    assert len(text) < 1100


def test_a_log_of_exactly_the_limit_is_kept_whole() -> None:
    kept = Kept()
    capture = LogCapture(kept, Masker(()), 1000)
    capture.write("stdout", b"x" * 1000)
    capture.close()
    assert kept.text() == b"x" * 1000
    assert capture.dropped == 0


def test_the_tail_stays_small_when_two_streams_take_turns_byte_by_byte() -> None:
    kept = Kept()
    capture = LogCapture(kept, Masker(()), 1_000_000)
    capture.write("stdout", b"x" * 900_000)
    for _ in range(60_000):
        capture.write("stdout", b"o")
        capture.write("stderr", b"e")
    capture.close()
    assert len(kept.pieces) <= 16 * 1024 + 2
    assert capture.dropped == 120_000 - 16 * 1024
