"""Sealed chunks open as they were sealed, and in no other way."""

from __future__ import annotations

import secrets

import pytest

from atomctl.backup import codes
from atomctl.backup.framing import CHUNK, SEALED, TAG, seal, stream_key, unseal
from atomctl.errors import AtomError, Code

KEY = stream_key(b"k" * 32, "set/base")
PLAIN = secrets.token_bytes(2 * CHUNK + 1000)


@pytest.fixture(scope="module")
def sealed() -> bytes:
    return b"".join(seal(KEY, [PLAIN]))


def refusal(data: bytes, key: bytes = KEY) -> Code:
    with pytest.raises(AtomError) as caught:
        list(unseal(key, [data]))
    return caught.value.code


def test_what_was_sealed_opens_again(sealed: bytes) -> None:
    assert b"".join(unseal(KEY, [sealed])) == PLAIN
    assert len(sealed) == len(PLAIN) + 3 * TAG


def test_the_plain_bytes_are_nowhere_in_the_sealed_ones(sealed: bytes) -> None:
    assert all(PLAIN[at : at + 16] not in sealed for at in range(0, len(PLAIN) - 16, CHUNK // 4))


def test_nothing_seals_to_one_chunk_that_opens_to_nothing() -> None:
    sealed = b"".join(seal(KEY, []))
    assert len(sealed) == TAG
    assert b"".join(unseal(KEY, [sealed])) == b""


def test_a_stream_of_whole_chunks_ends_with_its_last_one() -> None:
    sealed = b"".join(seal(KEY, [PLAIN[: 2 * CHUNK]]))
    assert len(sealed) == 2 * SEALED
    assert b"".join(unseal(KEY, [sealed])) == PLAIN[: 2 * CHUNK]


@pytest.mark.parametrize("at", [0, CHUNK - 1, CHUNK, SEALED - 1, SEALED, 2 * SEALED, 2 * SEALED + 999])
def test_a_flipped_bit_is_a_change(sealed: bytes, at: int) -> None:
    changed = bytearray(sealed)
    changed[at] ^= 1
    assert refusal(bytes(changed)) is codes.CHANGED


def test_chunks_that_changed_places_do_not_open(sealed: bytes) -> None:
    swapped = sealed[SEALED : 2 * SEALED] + sealed[:SEALED] + sealed[2 * SEALED :]
    assert refusal(swapped) is codes.CHANGED


def test_a_chunk_that_is_repeated_or_left_out_does_not_open(sealed: bytes) -> None:
    assert refusal(sealed[:SEALED] + sealed) is codes.CHANGED
    assert refusal(sealed[:SEALED] + sealed[2 * SEALED :]) is codes.CHANGED


def test_a_stream_that_ends_behind_a_whole_chunk_is_truncated(sealed: bytes) -> None:
    assert refusal(sealed[:SEALED]) is codes.TRUNCATED
    assert refusal(sealed[: 2 * SEALED]) is codes.TRUNCATED


def test_a_stream_cut_within_a_chunk_does_not_open(sealed: bytes) -> None:
    assert refusal(sealed[:-1]) is codes.CHANGED
    assert refusal(sealed[: SEALED + 5]) is codes.CHANGED


def test_an_empty_stream_is_truncated() -> None:
    assert refusal(b"") is codes.TRUNCATED


def test_bytes_behind_the_end_do_not_open(sealed: bytes) -> None:
    assert refusal(sealed + b"x") is codes.CHANGED


def test_a_stream_opens_under_its_own_key_alone(sealed: bytes) -> None:
    assert refusal(sealed, stream_key(b"k" * 32, "set/wal")) is codes.CHANGED
    assert refusal(sealed, stream_key(b"K" * 32, "set/base")) is codes.CHANGED
