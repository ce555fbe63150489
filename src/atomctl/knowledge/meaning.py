"""What compares texts by meaning: the model at hand, or the reason why there is none."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from atomctl.errors import AtomError
from atomctl.knowledge import codes
from atomctl.knowledge.markdown import plain
from atomctl.knowledge.model import DIMENSION, Chunk, Vectors
from atomctl.knowledge.scrubbing import scrubbed

if TYPE_CHECKING:
    from atomctl.embedding.model import Embedder

_AT_ONCE = 64
"""Texts that are embedded together."""
_SHORTEST = 1e-6


class Meaning:
    """The model of this process: loaded when it is first needed, and again when that failed.

    Args:
        load: gives the model; raises EMB0xx where there is none.
    """

    def __init__(self, load: Callable[[], Embedder]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._embedder: Embedder | None = None

    def embedder(self) -> Embedder:
        """The model.

        Raises:
            AtomError: EMB0xx there is none or it cannot be used, KNO030 its vectors do not fit.
        """
        with self._lock:
            if self._embedder is None:
                loaded = self._load()
                if loaded.dimension != DIMENSION:
                    raise AtomError(codes.WRONG_DIMENSION, f"{loaded.name} gives {loaded.dimension} numbers")
                self._embedder = loaded
            return self._embedder

    def lacking(self) -> AtomError | None:
        """Why there is no model; None if there is one."""
        try:
            self.embedder()
        except AtomError as error:
            return error
        return None

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """The vectors of what scrubbing leaves of the texts: a model may be somebody else's machine.

        Raises:
            AtomError: as `embedder`; EMB0xx the model did not answer, or answered with what are no vectors.
        """
        embedder = self.embedder()
        rows = list[list[float]]()
        for start in range(0, len(texts), _AT_ONCE):
            rows += embedder.embed([scrubbed(text) for text in texts[start : start + _AT_ONCE]]).tolist()
        return Vectors(embedder.name, tuple(map(_written, rows)), _written(_middle(rows)))


def text_of(chunk: Chunk) -> str:
    """What a model is given of a chunk: where it stands and what it says."""
    return f"{chunk.heading}\n{plain(chunk.text)}"


def _written(vector: Sequence[float]) -> str:
    """The vector as pgvector reads it."""
    return "[" + ",".join(f"{value:.7g}" for value in vector) + "]"


def _middle(rows: Sequence[Sequence[float]]) -> list[float]:
    """The sum of the rows at length 1; the first of them where they cancel each other out."""
    total = [sum(column) for column in zip(*rows, strict=True)]
    length = math.hypot(*total)
    return [value / length for value in total] if length > _SHORTEST else list(rows[0]) if rows else []
