"""Streams in the store: whole, in objects of bounded size, and nothing else is ever given out."""

from __future__ import annotations

import datetime
import secrets
from collections.abc import Callable

import pytest
from tests.fakes.locked_memory import LockedMemory

from atomctl.backup import codes, streams
from atomctl.backup.framing import CHUNK
from atomctl.backup.model import StoredStream, Stream
from atomctl.backup.streams import StreamWriter, read_stream
from atomctl.db.ids import new_id
from atomctl.errors import AtomError, Code
from atomctl.objects import codes as object_codes

DATA_KEY = b"d" * 32
SET = new_id()
PLAIN = secrets.token_bytes(5 * CHUNK // 2)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "PART", CHUNK)


@pytest.fixture
def stored(store: LockedMemory) -> StoredStream:
    return StreamWriter(store, DATA_KEY, SET, Stream.BASE, None).write_all([PLAIN[:1000], PLAIN[1000:]])


def read(store: LockedMemory, stored: StoredStream, stream: Stream = Stream.BASE) -> bytes:
    return read_stream(store, DATA_KEY, SET, stream, stored).readall()


def refusal(store: LockedMemory, stored: StoredStream) -> Code:
    with pytest.raises(AtomError) as caught:
        read(store, stored)
    return caught.value.code


def test_a_stream_is_read_back_as_it_was(store: LockedMemory, stored: StoredStream) -> None:
    assert read(store, stored) == PLAIN
    assert stored.plain == len(PLAIN)
    assert [part.size for part in stored.parts[:-1]] == [CHUNK, CHUNK]
    assert stored.size == sum(map(len, store.objects.values()))


def test_every_object_can_be_damaged_and_none_without_notice(store: LockedMemory, stored: StoredStream) -> None:
    for part in stored.parts:
        good = store.objects[part.key]
        for damaged, code in (
            (bytes([good[0] ^ 1]) + good[1:], codes.CHANGED),
            (good[:-1], codes.TRUNCATED),
            (good + b"x", codes.CHANGED),
        ):
            store.objects[part.key] = damaged
            assert refusal(store, stored) is code
        del store.objects[part.key]
        assert refusal(store, stored) is codes.TRUNCATED
        store.objects[part.key] = good
    assert read(store, stored) == PLAIN


def test_a_list_of_parts_that_leaves_one_out_does_not_open(store: LockedMemory, stored: StoredStream) -> None:
    for cut in (stored.parts[:-1], stored.parts[1:], stored.parts[:1] + stored.parts[2:], stored.parts[::-1]):
        assert refusal(store, StoredStream(cut, stored.plain)) in (codes.CHANGED, codes.TRUNCATED)


def test_a_stream_does_not_open_in_anothers_place(store: LockedMemory, stored: StoredStream) -> None:
    with pytest.raises(AtomError) as caught:
        read(store, stored, Stream.WAL)
    assert caught.value.code is codes.CHANGED


def test_a_stream_of_zeros_is_small_in_the_store_and_given_out_in_pieces(store: LockedMemory) -> None:
    zeros = StreamWriter(store, DATA_KEY, SET, Stream.WAL, None).write_all(bytes(CHUNK) for _ in range(64))
    assert zeros.size < CHUNK // 100
    opened = read_stream(store, DATA_KEY, SET, Stream.WAL, zeros)
    pieces = list(streams.chunks_of(opened.read))
    assert sum(map(len, pieces)) == 64 * CHUNK
    assert max(map(len, pieces)) <= CHUNK


def test_what_is_to_be_retained_is_retained(store: LockedMemory) -> None:
    until = store.now + datetime.timedelta(days=30)
    written = StreamWriter(store, DATA_KEY, SET, Stream.BASE, until).write_all([PLAIN])
    assert store.retained == {part.key: until for part in written.parts}


def full(_key: str) -> None:
    raise AtomError(object_codes.FULL, "no room")


@pytest.mark.parametrize("refuses", [full])
def test_a_store_that_refuses_stops_the_stream(store: LockedMemory, refuses: Callable[[str], None]) -> None:
    store.before_put = refuses
    with pytest.raises(AtomError) as caught:
        StreamWriter(store, DATA_KEY, SET, Stream.BASE, None).write_all([PLAIN])
    assert caught.value.code is object_codes.FULL
    assert store.objects == {}


def test_what_is_no_compressed_stream_is_refused() -> None:
    with pytest.raises(AtomError) as caught:
        list(streams.decompressed(iter([b"not zstd at all"])))
    assert caught.value.code is codes.CHANGED


def test_bytes_behind_the_compressed_stream_are_refused() -> None:
    good = b"".join(streams.compressed([b"content"]))
    assert b"".join(streams.decompressed(iter([good]))) == b"content"
    with pytest.raises(AtomError) as caught:
        list(streams.decompressed(iter([good, b"more"])))
    assert caught.value.code is codes.CHANGED
