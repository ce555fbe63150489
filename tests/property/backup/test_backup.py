"""Backups for all inputs: sealed streams, caught files, positions, retention."""

from __future__ import annotations

import datetime
import io
import tarfile
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.backup import framing
from atomctl.backup.framing import rechunk, seal, unseal
from atomctl.backup.lsn import lsn_text, parse_lsn, segment_name, segments
from atomctl.backup.retention import Keep, Known, kept
from atomctl.backup.watch import TarWatch
from atomctl.errors import AtomError

KEY = b"k" * 32
PIECES = st.lists(st.binary(max_size=90), max_size=12)
LIGHT = settings(max_examples=100, deadline=None)
EPOCH = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="module", autouse=True)
def small_chunks() -> object:
    """Chunks of 32 bytes, so that a stream has many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(framing, "CHUNK", 32)
        patch.setattr(framing, "SEALED", 32 + framing.TAG)
        yield


@LIGHT
@given(PIECES, st.integers(1, 100))
def test_a_stream_opens_as_it_was_however_it_was_cut(pieces: list[bytes], size: int) -> None:
    sealed = b"".join(seal(KEY, pieces))
    assert b"".join(unseal(KEY, rechunk([sealed], size))) == b"".join(pieces)


@LIGHT
@given(PIECES, st.data())
def test_no_other_bytes_open(pieces: list[bytes], data: st.DataObject) -> None:
    sealed = b"".join(seal(KEY, pieces))
    at = data.draw(st.integers(0, len(sealed) - 1))
    damage = data.draw(st.sampled_from(["flip", "cut", "drop", "repeat", "append"]))
    other = {
        "flip": sealed[:at] + bytes([sealed[at] ^ 1 << data.draw(st.integers(0, 7))]) + sealed[at + 1 :],
        "cut": sealed[:at],
        "drop": sealed[:at] + sealed[at + 1 :],
        "repeat": sealed[:at] + sealed[at : at + 48] + sealed[at:],
        "append": sealed + sealed[:1],
    }[damage]
    with pytest.raises(AtomError):
        list(unseal(KEY, [other]))


@LIGHT
@given(PIECES, PIECES)
def test_chunks_of_two_streams_do_not_mix(left: list[bytes], right: list[bytes]) -> None:
    one, two = (framing.stream_key(KEY, name) for name in ("a/base", "b/base"))
    mixed = b"".join(seal(one, left)) + b"".join(seal(two, right))
    with pytest.raises(AtomError):
        list(unseal(one, [mixed]))


@LIGHT
@given(PIECES, st.integers(1, 64))
def test_chunks_are_even_and_lose_nothing(pieces: list[bytes], size: int) -> None:
    chunks = list(rechunk(pieces, size))
    assert b"".join(chunks) == b"".join(pieces)
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(chunks)


@LIGHT
@given(st.lists(st.binary(max_size=1500), max_size=4), st.binary(max_size=1500), st.integers(1, 700))
def test_the_watch_catches_its_file_however_the_tar_is_cut(others: list[bytes], wanted: bytes, size: int) -> None:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number, data in enumerate([*others, wanted, *others]):
            info = tarfile.TarInfo("wanted" if number == len(others) else f"other{number}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    watch = TarWatch("wanted", limit=1500)
    for piece in rechunk([target.getvalue()], size):
        watch.feed(piece)
    assert watch.content == wanted


@LIGHT
@given(st.integers(0, 2**64 - 1), st.integers(0, 2**30), st.sampled_from([1 << n for n in (20, 24, 30)]))
def test_segments_hold_all_of_a_span_in_order(start: int, length: int, size: int) -> None:
    assert parse_lsn(lsn_text(start)) == start
    names = segments(1, start, start + length, size)
    assert names[0] == segment_name(1, start, size)
    assert len(names) == max(1, -(-(start % size + length) // size))
    assert sorted(set(names)) == names or len({name[8:16] for name in names}) > 1


@st.composite
def sets(draw: st.DrawFn) -> list[Known]:
    """Sets over two years; each may build on an older one."""
    hours = sorted(draw(st.lists(st.integers(0, 24 * 730), max_size=40)))
    found: list[Known] = []
    for number, hour in enumerate(hours):
        parent = draw(st.sampled_from([None, *(item.id for item in found[-3:])]))
        found.append(Known(UUID(int=number), EPOCH + datetime.timedelta(hours=hour), parent))
    return found


RULES = st.builds(Keep, *(st.integers(0, 8) for _ in range(5)))


@LIGHT
@given(sets(), RULES, st.data())
def test_retention_keeps_what_it_must(all_sets: list[Known], rule: Keep, data: st.DataObject) -> None:
    held = data.draw(st.sets(st.sampled_from([item.id for item in all_sets]))) if all_sets else set()
    reasons = kept(all_sets, rule, held=held)
    by_id = {item.id: item for item in all_sets}
    assert held <= set(reasons)
    if all_sets:
        assert max(all_sets, key=lambda item: (item.taken_at, item.id)).id in reasons
    for set_id in reasons:  # whatever is kept can be restored
        parent = by_id[set_id].parent
        assert parent is None or parent in reasons


@LIGHT
@given(sets(), RULES)
def test_letting_go_a_second_time_lets_nothing_more_go(all_sets: list[Known], rule: Keep) -> None:
    reasons = kept(all_sets, rule)
    assert kept([item for item in all_sets if item.id in reasons], rule).keys() == reasons.keys()


@LIGHT
@given(sets(), RULES)
def test_no_more_is_kept_for_a_reason_than_the_rule_says(all_sets: list[Known], rule: Keep) -> None:
    reasons = list(kept(all_sets, rule).values())
    for name in ("hourly", "daily", "weekly", "monthly", "yearly"):
        assert sum(reason.startswith(name) for reason in reasons) <= getattr(rule, name)


@LIGHT
@given(sets(), RULES, st.randoms())
def test_the_order_sets_are_given_in_does_not_matter(all_sets: list[Known], rule: Keep, random: object) -> None:
    shuffled = list(all_sets)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis' random.Random
    assert kept(shuffled, rule) == kept(all_sets, rule)
