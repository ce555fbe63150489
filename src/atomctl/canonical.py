"""Canonical JSON and digests: the only place that hashes.

A digest is written `sha256:<64 lower-case hex digits>` wherever a person or another program sees it. Canonical JSON is
RFC 8785 (JSON Canonicalization Scheme), so the digest of a value is the same in every language that implements it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import BinaryIO, NewType, TypeAlias, cast

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Digest = NewType("Digest", str)

_PREFIX = "sha256:"
_LARGEST = 2**53 - 1  # the largest integer every JSON reader keeps exactly
_HEX = frozenset("0123456789abcdef")


def canonical_json(value: object) -> bytes:
    """`value` as RFC 8785 bytes.

    Raises:
        ValueError: a NaN, an infinity, an integer beyond 2**53 - 1, a key that is not text, or what is not JSON.
    """
    if _is_plain(value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    import rfc8785  # 20 ms of import that most calls do not need

    return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks the value itself


def _is_plain(value: object) -> bool:
    """Whether the standard encoder writes `value` exactly as RFC 8785 says, at a fraction of the time.

    It does unless there are floats, whose notation differs; keys beyond ASCII, which RFC 8785 sorts by UTF-16 code
    units; or something that is not JSON, which the slow path refuses.
    """
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return -_LARGEST <= value <= _LARGEST  # type: ignore[operator]  # it is an integer
    items: Iterable[object]
    if kind is dict:
        named = cast("dict[object, object]", value)
        for key in named:  # a loop: `all` over a generator takes twice the time
            if not (type(key) is str and key.isascii()):
                return False
        items = named.values()
    elif kind is list or kind is tuple:
        items = cast("list[object]", value)
    else:
        return False
    for item in items:  # noqa: SIM110  # likewise
        if not (type(item) is str or _is_plain(item)):
            return False
    return True


def sha256(data: bytes) -> bytes:
    """The 32 raw bytes of SHA-256."""
    return hashlib.sha256(data).digest()


def digest(data: bytes) -> Digest:
    """The digest of bytes as it is written: `sha256:<hex>`."""
    return Digest(_PREFIX + hashlib.sha256(data).hexdigest())


def digest_json(value: object) -> Digest:
    """The digest of a value's canonical JSON."""
    return digest(canonical_json(value))


def digest_chunks(chunks: Iterable[bytes]) -> Digest:
    """The digest of the concatenated chunks, which are never held together."""
    state = hashlib.sha256()
    for chunk in chunks:
        state.update(chunk)
    return Digest(_PREFIX + state.hexdigest())


def digest_file(stream: BinaryIO, *, limit: int) -> Digest:
    """The digest of what `stream` still holds.

    Raises:
        ValueError: the stream holds more than `limit` bytes.
    """
    state, seen = hashlib.sha256(), 0
    while chunk := stream.read(1 << 20):
        seen += len(chunk)
        if seen > limit:
            raise ValueError(f"more than {limit} bytes")
        state.update(chunk)
    return Digest(_PREFIX + state.hexdigest())


def parse_digest(text: str) -> Digest:
    """`text` as a digest.

    Raises:
        ValueError: it is not `sha256:` and 64 lower-case hex digits.
    """
    tail = text.removeprefix(_PREFIX)
    if len(text) != len(_PREFIX) + 64 or len(tail) != 64 or not _HEX.issuperset(tail):
        raise ValueError(f"not a digest: {text[:80]!r}")
    return Digest(text)


def raw_digest(value: Digest) -> bytes:
    """The 32 bytes behind a written digest."""
    return bytes.fromhex(value.removeprefix(_PREFIX))


def keyed_digest(key: bytes, data: bytes) -> Digest:
    """HMAC-SHA-256 of `data`, for fingerprints that nobody without `key` can guess back."""
    return Digest(_PREFIX + hmac.new(key, data, "sha256").hexdigest())


def commitment(salt: bytes, value: str) -> Digest:
    """SHA-256(salt | value): stands for a personal value in the audit log, and says nothing once the salt is erased."""
    return digest(salt + value.encode())


def same(left: bytes, right: bytes) -> bool:
    """Compares two secrets in time that does not depend on where they differ."""
    return hmac.compare_digest(left, right)
