"""Embedders without a model: good ones, and those that answer with nonsense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from atomctl.canonical import sha256


@dataclass
class DigestEmbedder:
    """Equal texts have equal vectors, others point anywhere. `texts` is what it was asked for."""

    name: str = "digest-1"
    dimension: int = 8
    drift: float = 0.0
    """What another processor makes of the same model: the last bits differ."""
    texts: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str]) -> Any:
        self.texts += texts
        raw = [[byte - 127.5 for byte in self._bytes(text)] for text in texts]
        vectors = np.array(raw, dtype=np.float64).reshape(len(texts), self.dimension) + self.drift
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def _bytes(self, text: str) -> bytes:
        return (sha256(text.encode()) * (self.dimension // 32 + 1))[: self.dimension]


@dataclass
class StrangeEmbedder(DigestEmbedder):
    """Does to good vectors whatever `spoil` does."""

    spoil: Callable[[Any], Any] = lambda vectors: vectors

    def embed(self, texts: Sequence[str]) -> Any:
        return self.spoil(super().embed(texts))


@dataclass
class WordEmbedder:
    """Texts that share words are near to each other. `texts` is what it was asked for."""

    name: str = "words-1"
    dimension: int = 384
    texts: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str]) -> Any:
        self.texts += texts
        vectors = np.array([self._sum(text) for text in texts]).reshape(len(texts), self.dimension)
        return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)

    def _sum(self, text: str) -> Any:
        return np.sum([self._of(word) for word in ["", *text.lower().split()]], axis=0)

    def _of(self, word: str) -> Any:
        seed = int.from_bytes(sha256(word.encode())[:4], "big")
        return np.random.default_rng(seed).standard_normal(self.dimension)
