"""The model in plain numpy: what every other way to compute it is measured against, and what works everywhere.

Source: "BERT: Pre-training of Deep Bidirectional Transformers" (Devlin et al.), with the sizes of MiniLM-L6-H384; the
names are those of the tensors in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from atomctl.embedding.weights import DIMENSION, EPSILON, HEADS, LAYERS, Weights

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Floats: TypeAlias = "NDArray[np.float32]"
_HEAD = DIMENSION // HEADS
_SCALE = np.float32(1 / np.sqrt(_HEAD))
_FAR_BELOW = np.float32(-1e9)
"""What a score becomes where there is no token: its share is exactly 0."""


class NumpyRuntime:
    """Computes with numpy alone, on as many threads as its linear algebra takes.

    Args:
        weights: read from the file as they are needed.
    """

    label = "numpy"

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def hidden(self, numbers: NDArray[np.int32], mask: NDArray[np.int32]) -> _Floats:
        """The last layer's vector of each token; shape (texts, tokens, dimension).

        Args:
            numbers: of the pieces; shape (texts, tokens).
            mask: 1 where there is a token, 0 where the row is filled up; the same shape.
        """
        there = np.where(mask[:, np.newaxis, np.newaxis, :] == 1, np.float32(0), _FAR_BELOW)
        state = self._embedded(numbers)
        for layer in range(LAYERS):
            state = self._layer(state, there, f"encoder.layer.{layer}")
        return state

    def _embedded(self, numbers: NDArray[np.int32]) -> _Floats:
        array = self._weights.array
        words = array("embeddings.word_embeddings.weight")[numbers]
        places = array("embeddings.position_embeddings.weight")[: numbers.shape[1]]
        kind = array("embeddings.token_type_embeddings.weight")[0]
        return self._normal(words + places + kind, "embeddings.LayerNorm")

    def _layer(self, state: _Floats, there: _Floats, name: str) -> _Floats:
        seen = self._linear(self._attention(state, there, f"{name}.attention.self"), f"{name}.attention.output.dense")
        state = self._normal(seen + state, f"{name}.attention.output.LayerNorm")
        inner = gelu(self._linear(state, f"{name}.intermediate.dense"))
        return self._normal(self._linear(inner, f"{name}.output.dense") + state, f"{name}.output.LayerNorm")

    def _attention(self, state: _Floats, there: _Floats, name: str) -> _Floats:
        query, key, value = (self._heads(state, f"{name}.{part}") for part in ("query", "key", "value"))
        scores = query @ key.swapaxes(2, 3) * _SCALE + there
        shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares /= shares.sum(axis=-1, keepdims=True)
        seen: _Floats = (shares @ value).swapaxes(1, 2).reshape(state.shape)
        return seen

    def _heads(self, state: _Floats, name: str) -> _Floats:
        texts, tokens, _ = state.shape
        return self._linear(state, name).reshape(texts, tokens, HEADS, _HEAD).swapaxes(1, 2)

    def _linear(self, state: _Floats, name: str) -> _Floats:
        array = self._weights.array
        result: _Floats = state @ array(f"{name}.weight").T + array(f"{name}.bias")
        return result

    def _normal(self, state: _Floats, name: str) -> _Floats:
        array = self._weights.array
        apart = state - state.mean(axis=-1, keepdims=True)
        spread = np.sqrt((apart * apart).mean(axis=-1, keepdims=True) + np.float32(EPSILON))
        result: _Floats = apart / spread * array(f"{name}.weight") + array(f"{name}.bias")
        return result


def gelu(x: _Floats) -> _Floats:
    """X times the share of the normal distribution below x."""
    result: _Floats = np.float32(0.5) * x * (1 + _erf(x * np.float32(np.sqrt(0.5))))
    return result


_ERF = tuple(map(np.float32, (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)))
_ERF_P = np.float32(0.3275911)


def _erf(x: _Floats) -> _Floats:
    """The error function to 1.5e-7, about what 32 bits tell apart (Abramowitz and Stegun, 7.1.26)."""
    size = np.abs(x)
    t = 1 / (1 + _ERF_P * size)
    a1, a2, a3, a4, a5 = _ERF
    polynomial = t * (a1 + t * (a2 + t * (a3 + t * (a4 + t * a5))))
    result: _Floats = np.copysign(1 - polynomial * np.exp(-size * size), x)
    return result
