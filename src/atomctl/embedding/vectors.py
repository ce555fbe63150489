"""What is a vector and what is none, and how it lies in a database. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from atomctl.embedding import codes
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.embedding.model import Vectors

_STORED = np.dtype("<f4")
_TOLERANCE = 1e-3
"""How far the length of a stored vector may be from 1; rounding stays below a hundredth of it."""
_SHORTEST = 1e-12


def unit(raw: Vectors) -> Vectors:
    """The rows of `raw` brought to length 1, as 32-bit floats.

    Raises:
        AtomError: EMB021 a number is not finite, or a row has no direction.
    """
    if not np.isfinite(raw).all():
        raise AtomError(codes.NOT_FINITE, "a vector holds a number that is not finite")
    lengths = np.linalg.norm(raw.astype(np.float64), axis=1, keepdims=True)
    if raw.shape[0] and float(lengths.min()) < _SHORTEST:
        raise AtomError(codes.NOT_FINITE, "a vector has length 0 and therefore no direction")
    return np.asarray(raw / lengths, dtype=np.float32)


def require_good(vectors: Vectors, shape: tuple[int, int]) -> None:
    """Returns if these are vectors of length 1, as many and as long as expected.

    Raises:
        AtomError: EMB020 another shape, EMB021 another length than 1, or a number that is not finite.
    """
    if vectors.shape != shape:
        raise AtomError(codes.WRONG_DIMENSION, f"shape {vectors.shape}, expected {shape}")
    if not _all_unit(vectors):
        raise AtomError(codes.NOT_FINITE, "a vector has another length than 1")


def pack(vectors: Vectors) -> list[bytes]:
    """Each row as `dimension` little-endian 32-bit floats."""
    return [row.tobytes() for row in np.ascontiguousarray(vectors, dtype=_STORED)]


def unpack(stored: Sequence[bytes], dimension: int) -> Vectors:
    """What `pack` made, read back.

    Raises:
        AtomError: EMB030 one has another dimension, a number that is not finite, or another length than 1.
    """
    if any(len(data) != dimension * _STORED.itemsize for data in stored):
        raise AtomError(codes.DAMAGED_CACHE, f"a vector has another dimension than {dimension}")
    rows = np.frombuffer(b"".join(stored), dtype=_STORED).reshape(len(stored), dimension).astype(np.float32)
    if not _all_unit(rows):
        raise AtomError(codes.DAMAGED_CACHE, "a vector has another length than 1")
    return rows


def _all_unit(rows: Vectors) -> bool:
    # NaN or infinity in a row makes its length one of them, for which the comparison is false.
    return bool((np.abs(np.linalg.norm(rows, axis=1) - 1.0) <= _TOLERANCE).all())
