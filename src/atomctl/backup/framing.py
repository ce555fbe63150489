"""Authenticated chunks: what makes a stream of any length unreadable, and every change to it noticed. Pure.

The STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizar, "Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance", 2015) as age uses it: chunks of 1 MiB, each sealed by AES-256-GCM under a key of the stream's own;
the nonce is the chunk's index in 11 bytes, big-endian, and one byte that is 1 for the last chunk alone. So chunks that
were changed, exchanged, repeated, left out, or cut off at the end do not open.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from atomctl.backup import codes
from atomctl.errors import AtomError

CHUNK = 1 << 20
TAG = 16
SEALED = CHUNK + TAG
"""Bytes of a sealed chunk; the last one may be shorter."""

_LABEL = b"atom.backup/v1 "


def stream_key(data_key: bytes, name: str) -> bytes:
    """The key of the stream `name` (`set id/stream`), derived by HKDF-SHA-256 from the set's data key."""
    return HKDF(SHA256(), 32, salt=None, info=_LABEL + name.encode()).derive(data_key)


def seal(key: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The sealed chunks of the concatenated pieces; at least one, also of nothing.

    Args:
        key: from `stream_key`; it must never seal two streams.
        pieces: bytes of any lengths.
    """
    cipher = AESGCM(key)
    index = 0
    held: bytes | None = None
    for chunk in rechunk(pieces, CHUNK):
        if held is not None:
            yield cipher.encrypt(_nonce(index, last=False), held, None)
            index += 1
        held = chunk
    yield cipher.encrypt(_nonce(index, last=True), held or b"", None)


def unseal(key: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The plain chunks; what was yielded is authentic, and the iterator ends well only if nothing is missing.

    Args:
        key: the one it was sealed under.
        pieces: the sealed bytes in pieces of any lengths.

    Raises:
        AtomError: BAK004 a chunk was changed or moved, BAK005 the end is missing.
    """
    cipher = AESGCM(key)
    index = 0
    held: bytes | None = None
    for chunk in rechunk(pieces, SEALED):
        if held is not None:
            yield _open(cipher, index, held, last=False)
            index += 1
        held = chunk
    if held is None:
        raise AtomError(codes.TRUNCATED, "the stream is empty")
    yield _open(cipher, index, held, last=True)


def rechunk(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in chunks of exactly `size`; the last one may be shorter and is never empty."""
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        while len(buffer) >= size:
            yield bytes(memoryview(buffer)[:size])
            del buffer[:size]
    if buffer:
        yield bytes(buffer)


def _open(cipher: AESGCM, index: int, sealed: bytes, *, last: bool) -> bytes:
    try:
        return cipher.decrypt(_nonce(index, last=last), sealed, None)
    except InvalidTag as error:
        if last and _opens(cipher, _nonce(index, last=False), sealed):
            raise AtomError(codes.TRUNCATED, f"the stream ends behind chunk {index}, which is not its last") from error
        raise AtomError(codes.CHANGED, f"chunk {index} is not what was stored") from error


def _opens(cipher: AESGCM, nonce: bytes, sealed: bytes) -> bool:
    try:
        cipher.decrypt(nonce, sealed, None)
    except InvalidTag:
        return False
    return True


def _nonce(index: int, *, last: bool) -> bytes:
    return index.to_bytes(11, "big") + bytes([last])
