"""That a way to compute the model gives the model's vectors: each sentence's cosine against the reference."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from atomctl.embedding import codes
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.embedding.model import Embedder

LEAST_COSINE = 0.9999
"""Rounding stays above 0.999999; a graph of 8-bit integers falls below 0.99."""

_FILE = Path(__file__).with_name("sentences.txt")


def sentences() -> list[str]:
    """What is compared: short and long, signs and numbers, other scripts, an empty text."""
    return [line.encode().decode("unicode_escape") for line in _ascii_lines()]


def _ascii_lines() -> list[str]:
    return _FILE.read_text(encoding="ascii").splitlines()


def least_cosine(candidate: Embedder, reference: Embedder, texts: Sequence[str]) -> float:
    """The worst agreement of the two over the texts."""
    found, meant = candidate.embed(texts), reference.embed(texts)
    return float(np.einsum("td,td->t", found.astype(np.float64), meant.astype(np.float64)).min())


def require_parity(candidate: Embedder, reference: Embedder, texts: Sequence[str]) -> float:
    """The worst cosine, if it is above `LEAST_COSINE`.

    Raises:
        AtomError: EMB004 it is not.
    """
    worst = least_cosine(candidate, reference, texts)
    if not worst > LEAST_COSINE:
        raise AtomError(codes.NO_PARITY, f"a cosine of {worst:.6f} over {len(texts)} sentences")
    return worst
