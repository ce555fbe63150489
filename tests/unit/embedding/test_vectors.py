"""What is a vector and what is none."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from atomctl.embedding import codes
from atomctl.embedding.vectors import pack, require_good, unit, unpack
from atomctl.errors import AtomError


def test_a_vector_keeps_its_direction_and_gets_length_one() -> None:
    assert unit(np.array([[3.0, 4.0], [0.0, -7.0]])).tolist() == [[0.6000000238418579, 0.800000011920929], [0.0, -1.0]]


@pytest.mark.parametrize("bad", [[np.nan, 1.0], [np.inf, 1.0], [-np.inf, 1.0], [0.0, 0.0], [1e-200, 0.0]])
def test_what_has_no_direction_is_refused(bad: list[float]) -> None:
    with pytest.raises(AtomError) as refusal:
        unit(np.array([[1.0, 0.0], bad]))
    assert refusal.value.code is codes.NOT_FINITE


def test_none_stay_none() -> None:
    assert unit(np.empty((0, 3), dtype=np.float32)).shape == (0, 3)
    assert unpack([], 3).shape == (0, 3)
    require_good(np.empty((0, 3), dtype=np.float32), (0, 3))


def test_vectors_are_stored_as_little_endian_floats_and_come_back_as_they_were() -> None:
    vectors = unit(np.array([[1.0, 2.0, 2.0], [-1.0, 0.0, 0.0]]))
    stored = pack(vectors)
    assert stored[1] == struct.pack("<3f", -1.0, 0.0, 0.0)
    assert unpack(stored, 3).tobytes() == vectors.tobytes()


@pytest.mark.parametrize(
    "stored", [struct.pack("<2f", 1, 0), struct.pack("<3f", 2, 0, 0), struct.pack("<3f", float("nan"), 1, 0), b""]
)
def test_a_damaged_vector_is_named(stored: bytes) -> None:
    with pytest.raises(AtomError) as refusal:
        unpack([stored], 3)
    assert refusal.value.code is codes.DAMAGED_CACHE


def test_an_embedder_that_gives_too_few_vectors_is_refused() -> None:
    with pytest.raises(AtomError) as refusal:
        require_good(np.eye(3, dtype=np.float32), (4, 3))
    assert refusal.value.code is codes.WRONG_DIMENSION
