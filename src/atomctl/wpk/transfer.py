"""Compression of a package on its way: an encoding of transport and storage, never of the file that is signed.

Decoding is bounded before it allocates: 100 times the input, 64 MiB, one stream, nothing after it.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import Final, assert_never

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.tar import MAX_BYTES

MAX_RATIO: Final = 100
_SLICE: Final = 1 << 10
"""Input fed at once. A zstd block expands 4 bytes to 128 KiB at most, so one slice never gives more than 32 MiB."""
_LEVEL: Final = 6


class Encoding(enum.StrEnum):
    """How the bytes of a transfer are encoded; the names are those of HTTP's `Content-Encoding`."""

    IDENTITY = "identity"
    GZIP = "gzip"
    ZSTD = "zstd"


def encode(data: bytes) -> tuple[Encoding, bytes]:
    """`data` as zstd; as it is where that would not help, or where `decode` would take it for a bomb."""
    import zstandard

    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(data)
    if len(packed) >= len(data) or len(data) > MAX_RATIO * len(packed):
        return Encoding.IDENTITY, data
    return Encoding.ZSTD, packed


def decode(data: bytes, encoding: Encoding) -> bytes:
    """The bytes behind a transfer.

    Raises:
        AtomError: WPK160 damaged or cut short; WPK161 it expands too far; WPK162 data follows the stream.
    """
    match encoding:
        case Encoding.IDENTITY:
            return _bounded(iter([data]), MAX_BYTES)
        case Encoding.GZIP:
            return _bounded(_gzip(data), min(MAX_BYTES, MAX_RATIO * len(data)))
        case Encoding.ZSTD:
            return _bounded(_zstd(data), min(MAX_BYTES, MAX_RATIO * len(data)))
        case _:
            assert_never(encoding)


def _bounded(pieces: Iterator[bytes], limit: int) -> bytes:
    out = bytearray()
    for piece in pieces:
        out += piece
        if len(out) > limit:
            raise AtomError(codes.BOMB, f"the transfer expands to more than {limit:,} bytes")
    return bytes(out)


def _gzip(data: bytes) -> Iterator[bytes]:
    import zlib

    stream = zlib.decompressobj(wbits=31)
    return _stream(data, stream.decompress, lambda: (stream.eof, stream.unused_data), zlib.error)


def _zstd(data: bytes) -> Iterator[bytes]:
    import zstandard

    stream = zstandard.ZstdDecompressor(max_window_size=MAX_BYTES).decompressobj()
    return _stream(data, stream.decompress, lambda: (stream.eof, stream.unused_data), zstandard.ZstdError)


def _stream(
    data: bytes,
    feed: Callable[[bytes], bytes],
    state: Callable[[], tuple[bool, bytes]],
    damage: type[Exception],
) -> Iterator[bytes]:
    for offset in range(0, len(data), _SLICE):
        try:
            yield feed(data[offset : offset + _SLICE])
        except damage:
            raise AtomError(codes.BAD_ENCODING, "the transfer is damaged") from None
        ended, unused = state()
        if ended:
            if unused or offset + _SLICE < len(data):
                raise AtomError(codes.SECOND_MEMBER, "data follows the compressed stream")
            return
    raise AtomError(codes.BAD_ENCODING, "the transfer ends early")
