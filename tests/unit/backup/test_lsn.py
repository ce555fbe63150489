"""Positions and file names as PostgreSQL writes them."""

import pytest

from atomctl.backup.lsn import is_log_file, lsn_text, missing_segments, parse_lsn, segment_name, segments

SIZE = 16 << 20


@pytest.mark.parametrize(("text", "position"), [("0/0", 0), ("0/3000130", 0x3000130), ("A/1", (10 << 32) + 1)])
def test_positions_are_read_and_written(text: str, position: int) -> None:
    assert parse_lsn(text) == position
    assert lsn_text(position) == text


@pytest.mark.parametrize("text", ["", "0", "0/", "/0", "0/g", "0/123456789", "-1/0", "0/0 "])
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not an LSN"):
        parse_lsn(text)


def test_names_are_those_of_pg_walfile_name() -> None:
    assert segment_name(1, parse_lsn("0/3000130"), SIZE) == "000000010000000000000003"
    assert segment_name(2, parse_lsn("1A/FF000000"), SIZE) == "000000020000001A000000FF"
    assert segment_name(1, parse_lsn("1/0"), 1 << 30) == "000000010000000100000000"


def test_a_span_is_held_by_the_segments_it_touches() -> None:
    assert segments(1, 0x2000028, 0x3000130, SIZE) == ["000000010000000000000002", "000000010000000000000003"]
    assert segments(1, 0x2000028, 0x3000000, SIZE) == ["000000010000000000000002"]
    assert segments(1, 0x2000028, 0x2000028, SIZE) == ["000000010000000000000002"]


def test_a_gap_is_named_in_order() -> None:
    assert missing_segments(["b"], ["a", "b", "c"]) == ["a", "c"]


def test_only_whole_segments_and_histories_are_log_files() -> None:
    assert is_log_file("000000010000000000000003")
    assert is_log_file("00000002.history")
    assert not is_log_file("000000010000000000000003.partial")
    assert not is_log_file("archive_status")
