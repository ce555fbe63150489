"""Streams in the object store: zstd, then sealed chunks, then objects of 32 MiB, each written once."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

import zstandard

from atomctl.backup import codes
from atomctl.backup.framing import rechunk, seal, stream_key, unseal
from atomctl.backup.model import Part, StoredStream, Stream
from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.objects import codes as object_codes
from atomctl.objects.locking import LockedStore

SETS = "backups/sets"
PART = 32 << 20
"""Bytes of an object, except the last of a stream."""

_LEVEL = 3
_READ = 1 << 20


def stream_name(set_id: UUID, stream: Stream) -> str:
    """What the stream's key is derived for, and its objects' keys begin with, below `SETS`."""
    return f"{set_id}/{stream.value}"


def part_key(set_id: UUID, stream: Stream, number: int) -> str:
    """The key of an object of a stream."""
    return f"{SETS}/{stream_name(set_id, stream)}/{number:06d}"


class StreamWriter:
    """Seals what it is given and stores it, object by object; nothing is kept in memory beyond one object.

    Args:
        store: where the objects go.
        data_key: the set's data key.
        set_id: the set.
        stream: which of its streams.
        retain_until: how long a store that locks keeps the objects; None where nothing is to be locked.
    """

    def __init__(
        self, store: LockedStore, data_key: bytes, set_id: UUID, stream: Stream, retain_until: datetime | None
    ) -> None:
        self._store = store
        self._set_id = set_id
        self._stream = stream
        self._retain_until = retain_until
        self._key = stream_key(data_key, stream_name(set_id, stream))

    def write_all(self, pieces: Iterable[bytes]) -> StoredStream:
        """Stores the concatenated pieces; what lies in the store when this returns is whole and durable.

        Raises:
            AtomError: OBJ0xx the store refuses; what was stored before is left for the caller to remove.
        """
        counted = _Counted(pieces)
        sealed = seal(self._key, compressed(counted))
        parts = tuple(self._put(number, data) for number, data in enumerate(rechunk(sealed, PART)))
        return StoredStream(parts, counted.seen)

    def _put(self, number: int, data: bytes) -> Part:
        key = part_key(self._set_id, self._stream, number)
        put(self._store, key, data, self._retain_until)
        return Part(key, len(data), digest(data))


def put(store: LockedStore, key: str, data: bytes, retain_until: datetime | None) -> None:
    """Stores `data`, retained where that was asked for.

    Raises:
        AtomError: OBJ0xx the store refuses.
    """
    if retain_until is None:
        store.put(key, data)
    else:
        store.put_locked(key, data, retain_until)


def read_stream(store: LockedStore, data_key: bytes, set_id: UUID, name: Stream, stream: StoredStream) -> io.RawIOBase:
    """What was stored, as a stream to read; every byte it gives out is authentic.

    Reading to the end shows that nothing is missing; an error comes with the first byte that does not fit.

    Raises:
        AtomError: BAK004 changed, BAK005 missing or short, OBJ0xx the store does not answer; while reading, too.
    """
    key = stream_key(data_key, stream_name(set_id, name))
    return _Pieces(decompressed(unseal(key, stored_parts(store, stream))))


def stored_parts(store: LockedStore, stream: StoredStream) -> Iterator[bytes]:
    """The sealed bytes of each part, compared with the digest the statement names.

    Raises:
        AtomError: BAK004 changed, BAK005 missing or short, OBJ0xx the store does not answer.
    """
    for part in stream.parts:
        try:
            data = store.get(part.key)
        except AtomError as error:
            if error.code is object_codes.MISSING:
                raise AtomError(codes.TRUNCATED, f"the object {part.key} is not there") from error
            raise
        if len(data) < part.size:
            raise AtomError(codes.TRUNCATED, f"{part.key} has {len(data)} of {part.size} bytes")
        if digest(data) != part.digest:
            raise AtomError(codes.CHANGED, f"{part.key} is not what was stored")
        yield data


def compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as one zstd frame."""
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compressobj()
    for piece in pieces:
        if out := compressor.compress(piece):
            yield out
    yield compressor.flush()


def decompressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """What one zstd frame holds, in pieces of at most 1 MiB however well it was compressed.

    Raises:
        AtomError: BAK004 it is no such frame, and whatever `pieces` raises.
    """
    reader = zstandard.ZstdDecompressor().stream_reader(io.BufferedReader(_Pieces(pieces)))
    try:
        yield from chunks_of(reader.read)
    except zstandard.ZstdError as error:
        raise AtomError(codes.CHANGED, f"the stream does not decompress: {error}") from error
    # The frame can end before the sealed chunks do; only their end shows that all of them are there.
    if any(pieces):
        raise AtomError(codes.CHANGED, "something follows the stream's end")


def chunks_of(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """What `read(size)` gives until it gives nothing."""
    while piece := read(_READ):
        yield piece


class _Counted:
    """The same pieces, counted."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.seen = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.seen += len(piece)
            yield piece


class _Pieces(io.RawIOBase):
    """An iterator of bytes as a stream to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._iterator = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """The next bytes; 0 at the end."""
        if not self._rest:
            self._rest = memoryview(next(self._iterator, b""))
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)
