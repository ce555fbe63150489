"""Embeddings that were computed before: the table `embeddings`, by model and digest of the text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from atomctl.canonical import Digest, digest
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.embedding import codes
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.embedding.model import Embedder, Vectors

_AT_ONCE = 512
"""Texts that are looked up, computed and kept together: 0.8 MB of vectors with the model of this machine."""


@dataclass(frozen=True, slots=True)
class CachedEmbedder:
    """An `Embedder` that asks the table first and keeps in it what it had to compute.

    It lives as long as the transaction of `conn`, and what it keeps is there once that is committed. Whoever computes
    the same text at the same time waits at the end of `embed` for the other's commit and then gives the other's
    vector, so that both hand out the same bytes: do not hold such a transaction open for long.

    Args:
        conn: an open transaction of the tenant.
        tenant_id: whose rows; must be the tenant of the transaction.
        embedder: computes what is not there. Its texts must be scrubbed, as for any embedder.
    """

    conn: Connection
    tenant_id: UUID
    embedder: Embedder

    @property
    def name(self) -> str:
        """The model's name, which the table is keyed by."""
        return self.embedder.name

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        return self.embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """A vector for each text, computed at most once for equal texts; the same bytes at every repeat.

        Raises:
            AtomError: EMB005 a text is none, EMB020 and EMB021 the embedder gave what is no vector, EMB030 a stored
                vector is damaged; as the embedder does.
        """
        import numpy as np

        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), _AT_ONCE):
            part = texts[start : start + _AT_ONCE]
            vectors[start : start + len(part)] = self._part(part)
        return vectors

    def _part(self, texts: Sequence[str]) -> Vectors:
        from atomctl.embedding.vectors import unpack

        digests = [text_digest(text) for text in texts]
        by_digest = dict(zip(digests, texts, strict=True))
        known = self._known(by_digest)
        if missing := sorted(by_digest.keys() - known.keys()):
            known |= self._kept(missing, [by_digest[found] for found in missing])
        return unpack([known[found] for found in digests], self.dimension)

    def _known(self, digests: Iterable[str]) -> dict[str, bytes]:
        rows = queries.load(__file__).known_vectors(
            self.conn, tenant_id=self.tenant_id, model=self.name, digests=list(digests)
        )
        return {row["text_digest"]: bytes(row["vector"]) for row in rows}

    def _kept(self, digests: Sequence[str], texts: Sequence[str]) -> dict[str, bytes]:
        """What the table says of the texts after they were computed; ours, where somebody forgot one meanwhile."""
        from atomctl.embedding.vectors import pack, require_good

        vectors = self.embedder.embed(texts)
        require_good(vectors, (len(texts), self.dimension))  # whatever an embedder gives
        computed = pack(vectors)
        queries.load(__file__).keep_vectors(
            self.conn,
            tenant_id=self.tenant_id,
            model=self.name,
            dimension=self.dimension,
            digests=list(digests),
            vectors=computed,
        )
        return {**dict(zip(digests, computed, strict=True)), **self._known(digests)}


def text_digest(text: str) -> Digest:
    """What a text is called in the table.

    Raises:
        AtomError: EMB005 it is not Unicode text.
    """
    try:
        return digest(text.encode())
    except UnicodeEncodeError as error:
        raise AtomError(codes.NOT_TEXT, f"a lone surrogate at character {error.start}") from error


def forget_texts(conn: Connection, tenant_id: UUID, digests: Iterable[str]) -> int:
    """How many rows of these texts were deleted, of all models: for texts that may not be known any more."""
    return int(queries.load(__file__).forget_texts(conn, tenant_id=tenant_id, digests=list(digests)))
