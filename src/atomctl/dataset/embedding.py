"""What of a scrubbed row is embedded, and how its vector comes into it.

Vectors are asked for from the tenant's cache first (`atom.embeddings`) and kept there, because the same model gives
other last bits on another processor: a row that is exported again gets the bytes it had.
"""

from __future__ import annotations

import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from atomctl.canonical import Json
from atomctl.dataset import codes
from atomctl.dataset.model import Row
from atomctl.dataset.vector import vector_text
from atomctl.db.session import Sessions
from atomctl.embedding.cache import CachedEmbedder
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.embedding.model import Embedder

TEXT = 1
"""The version of what is embedded of a row."""
LOG_CHARACTERS = 600
"""Of the end of the log: with what comes before it about as much as a sentence model takes in."""
_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Embedding:
    """Adds vectors to rows of one tenant, in transactions of its own that end with each call."""

    sessions: Sessions
    tenant_id: UUID
    embedder: Embedder

    def to_json(self) -> dict[str, Json]:
        """What decides about the vectors, as plan and manifest have it."""
        return {"model": self.embedder.name, "dimension": self.embedder.dimension, "text": TEXT}

    def add_to(self, rows: Sequence[Row]) -> Iterator[Row]:
        """The rows with their vectors, which are in the cache once the first of them is handed out.

        Raises:
            AtomError: EMB codes no vectors could be had; DAT809 what was had is none.
        """
        texts = [text_of(row) for row in rows]
        with self.sessions.tenant(self.tenant_id) as conn:
            vectors = CachedEmbedder(conn, self.tenant_id, self.embedder).embed(texts)
            require_vectors(vectors, len(texts), self.embedder.dimension)
        for row, vector in zip(rows, vectors, strict=True):
            numbers = array.array("f", vector.tobytes())
            yield {**row, "embedding": {"model": self.embedder.name, "vector": vector_text(numbers)}}


def text_of(row: Row) -> str:
    """What the row says in words: what was run, how it ended, what its steps said, the end of its log."""
    steps: Any = row["steps"]
    logs: Any = row["logs"]
    said = [
        f"step {step['name']} ({step['type']}): {step['state']} {step['code'] or ''} {step['error']}"
        for step in steps
        if step["error"]
    ]
    log = (logs["tail"] or logs["head"])[-LOG_CHARACTERS:]
    return "\n".join([f"{row['workflow']} in {row['environment']}: {row['status']}", *said, log])


def require_vectors(vectors: Any, count: int, dimension: int) -> None:
    """Returns if these are `count` vectors of length 1.

    Raises:
        AtomError: DAT809 they are not.
    """
    import numpy as np

    if getattr(vectors, "shape", None) != (count, dimension) or vectors.dtype != np.float32:
        shape = getattr(vectors, "shape", type(vectors).__name__)
        raise AtomError(codes.BAD_VECTORS, f"{shape} instead of {count} times {dimension} floats")
    lengths = np.linalg.norm(vectors, axis=1)
    if not bool(np.all(np.abs(lengths - 1.0) <= _TOLERANCE)):  # false for what is not a number, too
        raise AtomError(codes.BAD_VECTORS, "a vector has another length than 1")
