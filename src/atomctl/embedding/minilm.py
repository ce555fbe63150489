"""all-MiniLM-L6-v2 on this machine: pieces, layers, mean over the tokens, unit length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from atomctl.embedding import codes
from atomctl.embedding.batches import batches
from atomctl.embedding.vectors import unit
from atomctl.embedding.weights import DIMENSION, MODEL, Weights, version
from atomctl.embedding.wordpiece import WordPiece
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from atomctl.embedding.model import Vectors


class Runtime(Protocol):
    """What computes the layers."""

    @property
    def label(self) -> str:
        """What it is called where a person reads it."""

    def hidden(self, numbers: NDArray[np.int32], mask: NDArray[np.int32]) -> NDArray[np.float32]:
        """The last layer's vector of each token; shape (texts, tokens, dimension).

        Args:
            numbers: of the pieces; shape (texts, tokens).
            mask: 1 where there is a token, 0 where the row is filled up; the same shape.
        """


@dataclass(frozen=True, slots=True)
class MiniLm:
    """An `Embedder` that sends nothing anywhere. Its vectors are the same on every runtime but for the last bits."""

    tokenizer: WordPiece
    runtime: Runtime

    @classmethod
    def of(cls, weights: Weights, runtime: Runtime) -> MiniLm:
        """The embedder of these weights, computed by `runtime`."""
        with weights.vocabulary.open(encoding="utf-8", newline="\n") as lines:
            return cls(WordPiece.of_lines(lines), runtime)

    @property
    def name(self) -> str:
        """The model, and which weights of it; not the runtime, on which nothing depends."""
        return f"{MODEL}@{version()}"

    @property
    def dimension(self) -> int:
        """384."""
        return DIMENSION

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector of length 1 for each text; its first 254 pieces are read.

        Raises:
            AtomError: EMB005 a text is none, EMB021 the runtime gave a number that is none.
        """
        numbers = [self._numbers(text) for text in texts]
        vectors = np.empty((len(texts), DIMENSION), dtype=np.float32)
        for places in batches([len(found) for found in numbers]):
            vectors[places] = self._together([numbers[place] for place in places])
        return vectors

    def _numbers(self, text: str) -> list[int]:
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise AtomError(codes.NOT_TEXT, f"a lone surrogate at character {error.start}") from error
        return self.tokenizer.numbers(text)

    def _together(self, rows: Sequence[Sequence[int]]) -> Vectors:
        shape = (len(rows), max(map(len, rows)))
        numbers, mask = np.zeros(shape, dtype=np.int32), np.zeros(shape, dtype=np.int32)
        for row, found in enumerate(rows):
            numbers[row, : len(found)] = found
            mask[row, : len(found)] = 1
        hidden = self.runtime.hidden(numbers, mask)
        # A sum over the tokens points where their mean points, and only the direction is kept.
        return unit(np.einsum("rtd,rt->rd", hidden, mask.astype(np.float32)))
