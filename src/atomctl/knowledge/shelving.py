"""Putting documents into the index and taking them out; each in the caller's transaction, whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from atomctl.db import queries
from atomctl.db.ids import new_id
from atomctl.db.session import Connection
from atomctl.knowledge.markdown import plain
from atomctl.knowledge.model import RUNS, Chunk, Page, Shelf, Vectors
from atomctl.knowledge.words import searchable

_sql: Any = queries.load(__file__)


def has_vectors(conn: Connection) -> bool:
    """Whether the database can hold vectors: pgvector was there at the last migration."""
    return bool(_sql.has_vectors(conn))


def is_current(conn: Connection, tenant_id: UUID, collection: str, page: Page, model: str | None) -> bool:
    """Whether the page is in the index as it is now, with vectors of this very model (None: with or without any)."""
    row = _sql.document(conn, tenant_id=tenant_id, collection=collection, path=page.path)
    return row is not None and row["digest"] == page.digest and (model is None or row["model"] == model)


def put(conn: Connection, tenant_id: UUID, collection: str, page: Page, vectors: Vectors | None) -> None:
    """The index has the page as it is now, instead of whatever it had under the same name.

    The vectors of another model are never kept beside new ones: they go with the chunks they belong to.
    """
    key = {"tenant_id": tenant_id, "collection": collection, "path": page.path}
    shelf = Shelf.RUN if collection == RUNS else Shelf.PAGE
    take(conn, tenant_id, collection, page.path)
    rows = [_row(key, shelf, position, chunk) for position, chunk in enumerate(page.chunks)]
    _sql.insert_document(
        conn,
        **key,
        shelf=shelf,
        digest=page.digest,
        chunks=len(rows),
        words=sum(row["words"] for row in rows),
        model=vectors.model if vectors else None,
    )
    _sql.insert_chunks(conn, rows)
    if vectors is not None:
        _sql.insert_vectors(conn, _vector_rows(tenant_id, shelf, rows, vectors))
        if shelf is Shelf.PAGE:  # a run is one chunk
            _sql.insert_gist(conn, **key, model=vectors.model, embedding=vectors.middle)
    _sql.count_words(conn, **key)


def take(conn: Connection, tenant_id: UUID, collection: str, path: str) -> None:
    """The index has nothing of this name, and the words of what it had are no longer counted."""
    key = {"tenant_id": tenant_id, "collection": collection, "path": path}
    _sql.lock_shelves(conn, tenant_id=tenant_id)
    _sql.discount_words(conn, **key)
    _sql.delete_document(conn, **key)


def paths(conn: Connection, tenant_id: UUID, collection: str) -> list[str]:
    """What the collection holds, in order."""
    return [row["path"] for row in _sql.paths(conn, tenant_id=tenant_id, collection=collection)]


def _row(key: dict[str, Any], shelf: Shelf, position: int, chunk: Chunk) -> dict[str, Any]:
    body = searchable(plain(chunk.text))
    return {
        **key,
        "id": new_id(),
        "position": position,
        "shelf": shelf,
        "heading": chunk.heading,
        "anchor": chunk.anchor,
        "text": chunk.text,
        "words": body.count(" ") + 1,
        "own": searchable(chunk.trail[-1]),
        "above": searchable(" ".join(chunk.trail[:-1])),
        "body": body,
    }


def _vector_rows(
    tenant_id: UUID, shelf: Shelf, rows: Sequence[dict[str, Any]], vectors: Vectors
) -> list[dict[str, Any]]:
    return [
        {"tenant_id": tenant_id, "chunk_id": row["id"], "shelf": shelf, "model": vectors.model, "embedding": vector}
        for row, vector in zip(rows, vectors.rows, strict=True)
    ]
