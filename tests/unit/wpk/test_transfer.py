"""Compressed transfers: what comes back, and what is refused before memory is taken."""

from __future__ import annotations

import gzip
import io
import os
import tracemalloc
import zlib

import pytest
import zstandard

from atomctl.errors import AtomError
from atomctl.wpk import codes, tar
from atomctl.wpk.transfer import Encoding, decode, encode

TEXT = b"".join(b"line %d of a package\n" % number for number in range(2000))


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_content_size=False).compress(data)


COMPRESS = {Encoding.GZIP: gzip.compress, Encoding.ZSTD: zstd}
both = pytest.mark.parametrize("encoding", list(COMPRESS))


@pytest.mark.parametrize("data", [b"", b"x", TEXT, os.urandom(100_000), os.urandom(3000) + TEXT])
def test_what_is_encoded_comes_back(data: bytes) -> None:
    encoding, sent = encode(data)
    assert len(sent) <= len(data)
    assert decode(sent, encoding) == data


def test_what_would_look_like_a_bomb_is_sent_as_it_is() -> None:
    assert encode(bytes(1 << 20))[0] is Encoding.IDENTITY


@both
def test_both_compressions_are_read(encoding: Encoding) -> None:
    assert decode(COMPRESS[encoding](TEXT), encoding) == TEXT


@both
@pytest.mark.parametrize("cut", [1, 4, 8, 20])
def test_a_transfer_that_ends_early_is_refused(encoding: Encoding, cut: int) -> None:
    with pytest.raises(AtomError) as error:
        decode(COMPRESS[encoding](TEXT)[:-cut], encoding)
    assert error.value.code is codes.BAD_ENCODING


@both
@pytest.mark.parametrize("data", [b"", b"\0", b"plain text", bytes(5000)])
def test_what_is_not_compressed_is_refused(encoding: Encoding, data: bytes) -> None:
    with pytest.raises(AtomError) as error:
        decode(data, encoding)
    assert error.value.code is codes.BAD_ENCODING


@both
def test_a_second_member_is_refused(encoding: Encoding) -> None:
    with pytest.raises(AtomError) as error:
        decode(COMPRESS[encoding](TEXT) * 2, encoding)
    assert error.value.code is codes.SECOND_MEMBER


@both
@pytest.mark.parametrize("tail", [b"\0", b"x" * 5000])
def test_anything_behind_the_stream_is_refused(encoding: Encoding, tail: bytes) -> None:
    with pytest.raises(AtomError) as error:
        decode(COMPRESS[encoding](TEXT) + tail, encoding)
    assert error.value.code is codes.SECOND_MEMBER


def _gzip_bomb() -> bytes:
    """4 GiB of zeros in 4 MB."""
    stream, out = zlib.compressobj(9, wbits=31), io.BytesIO()
    for _ in range(64):
        out.write(stream.compress(bytes(1 << 20)))
    return out.getvalue() + stream.flush()


@pytest.mark.parametrize(
    ("encoding", "bomb"), [(Encoding.GZIP, _gzip_bomb()), (Encoding.ZSTD, zstd(bytes(1 << 28)))], ids=["gzip", "zstd"]
)
def test_a_bomb_is_refused_without_taking_its_size(encoding: Encoding, bomb: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(AtomError) as error:
            decode(bomb, encoding)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert error.value.code is codes.BOMB
    assert peak < tar.MAX_BYTES


def test_more_than_a_package_may_have_is_refused_at_any_ratio() -> None:
    with pytest.raises(AtomError) as error:
        decode(bytes(tar.MAX_BYTES + 1), Encoding.IDENTITY)
    assert error.value.code is codes.BOMB
