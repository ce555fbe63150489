"""Finding passages by words, by meaning and by page: three orders of pages, fused into one.

In the caller's transaction of one tenant.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from uuid import UUID

from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.knowledge import codes
from atomctl.knowledge.fusion import fused
from atomctl.knowledge.meaning import Meaning
from atomctl.knowledge.model import Found, Passage, Shelf, Statistics, Vectors
from atomctl.knowledge.shelving import has_vectors
from atomctl.knowledge.weighing import coverage, selective, weights
from atomctl.knowledge.words import any_of, names_in, searchable

DEPTH = 5_000
"""Chunks that are ranked by their words at most."""
CANDIDATES = 100
"""Chunks that are taken by words, and by meaning."""
PAGES = 40
"""Pages that are taken by what they are about as a whole."""
_WEIGHTS = (0.7, 1.0, 0.5)
"""Of the orders by words, by meaning and by page. Who asks seldom uses the words of the page. The last order tells a
catalogue, which mentions everything, from a page about the matter; it does not know where on it the answer is."""
_NEAREST = 3
"""Chunks whose cosines say how near an answer is: a single one may be near by chance."""
WHOLE = 20_000
"""Up to so many chunks, all vectors are compared, which is exact; beyond, the graph is asked."""

_Place: TypeAlias = tuple[str, str]
"""A page: its collection and its path."""

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for, where."""

    shelf: Shelf
    text: str
    vector: Vectors | AtomError
    """Of the text; or why there is none: no model, or one that does not answer."""


def prepare(shelf: Shelf, text: str, meaning: Meaning) -> Query:
    """The query for a text. Asks the model, so it is called outside of a transaction."""
    try:
        return Query(shelf, text, meaning.vectors([text]))
    except AtomError as error:
        return Query(shelf, text, error)


@dataclass(frozen=True, slots=True)
class _Orders:
    """What the three searches gave, each the best first, and where the chunks stand."""

    lexical: Mapping[UUID, float]
    cosines: Mapping[UUID, float]
    pages: list[_Place]
    places: Mapping[UUID, _Place]


def search(conn: Connection, tenant_id: UUID, query: Query, count: int) -> Found:
    """The best passages of the `count` pages, or runs, of the tenant's shelf that fit the text best.

    One of each; where there are fewer pages, further passages of theirs.

    Without a vector, or without pgvector in the database, words alone decide and the answer says why.
    """
    vector = query.vector
    if isinstance(vector, Vectors) and not has_vectors(conn):
        vector = AtomError(codes.NO_EXTENSION, "only words were searched for")
    statistics = _statistics(conn, tenant_id, query)
    weighed = weights(statistics)
    orders = _orders(conn, tenant_id, Query(query.shelf, query.text, vector), statistics)
    scores = dict(list(_page_scores(orders).items())[:count])
    chosen = _chosen(orders, scores, count)
    richest = [chunk for place in scores if (chunk := _richest(orders, place)) is not None]
    rows = _sql.chunks(conn, tenant_id=tenant_id, ids=[*chosen, *richest], terms=list(weighed))
    known = {row["id"]: row for row in rows}
    return Found(
        passages=tuple(
            _passage(known[chunk], scores[orders.places[chunk]], orders, weighed) for chunk in chosen if chunk in known
        ),
        unknown_names=_unknown_names(conn, tenant_id, query),
        coverage=max((coverage(weighed, row["terms"]) for row in known.values()), default=0.0),
        cosine=_nearness(list(orders.cosines.values())),
        without_meaning=_lacking(vector, orders),
    )


def _richest(orders: _Orders, place: _Place) -> UUID | None:
    """The chunk of the page with the most of the query's words; None if it was found by meaning alone."""
    return next((chunk for chunk in orders.lexical if orders.places[chunk] == place), None)


def _nearness(cosines: Sequence[float]) -> float | None:
    nearest = cosines[:_NEAREST]
    return sum(nearest) / len(nearest) if nearest else None


def _lacking(vector: Vectors | AtomError, orders: _Orders) -> AtomError | None:
    if isinstance(vector, AtomError):
        return vector
    if orders.lexical and not orders.cosines:
        return AtomError(codes.NO_VECTORS, f"there are no vectors of {vector.model}")
    return None


def _page_scores(orders: _Orders) -> Mapping[_Place, float]:
    """The pages with a chunk among the candidates, the best first."""
    by_words = list(dict.fromkeys(orders.places[chunk] for chunk in orders.lexical))
    by_meaning = list(dict.fromkeys(orders.places[chunk] for chunk in orders.cosines))
    candidates = {*by_words, *by_meaning}
    return fused((by_words, by_meaning, [page for page in orders.pages if page in candidates]), _WEIGHTS)


def _chosen(orders: _Orders, pages: Collection[_Place], count: int) -> list[UUID]:
    """Of each page the chunk that stands highest; where that is less than `count`, the next ones of these pages."""
    best: dict[_Place, UUID] = {}
    ranked = list(fused((list(orders.lexical), list(orders.cosines))))
    for chunk in ranked:
        best.setdefault(orders.places[chunk], chunk)
    first = [best[page] for page in pages]
    return [*first, *(chunk for chunk in ranked if orders.places[chunk] in pages and chunk not in first)][:count]


def _orders(conn: Connection, tenant_id: UUID, query: Query, statistics: Statistics) -> _Orders:
    lexical = _by_words(conn, query.shelf, statistics)
    cosines: Mapping[UUID, float] = {}
    pages = list[_Place]()
    if isinstance(query.vector, Vectors):
        cosines = _by_meaning(conn, query.shelf, query.vector, statistics.chunks)
        if query.shelf is Shelf.PAGE:
            pages = _by_page(conn, query.vector)
    rows = _sql.places(conn, tenant_id=tenant_id, ids=list({*lexical, *cosines}))
    places = {row["id"]: (row["collection"], row["path"]) for row in rows}
    # What a sync replaced between two of these statements is left out.
    return _Orders(
        {chunk: score for chunk, score in lexical.items() if chunk in places},
        {chunk: cosine for chunk, cosine in cosines.items() if chunk in places},
        pages,
        places,
    )


def _statistics(conn: Connection, tenant_id: UUID, query: Query) -> Statistics:
    size = _sql.size(conn, tenant_id=tenant_id, shelf=query.shelf)
    terms = _sql.terms(conn, tenant_id=tenant_id, shelf=query.shelf, words=searchable(query.text))
    return Statistics(
        chunks=size["chunks"],
        average=size["words"] / size["chunks"] if size["chunks"] else 0.0,
        frequencies={row["term"]: row["chunks"] for row in terms},
    )


def _unknown_names(conn: Connection, tenant_id: UUID, query: Query) -> tuple[str, ...]:
    rows = _sql.unknown_names(conn, tenant_id=tenant_id, shelf=query.shelf, names=names_in(query.text))
    return tuple(row["name"] for row in rows)


def _by_words(conn: Connection, shelf: Shelf, statistics: Statistics) -> Mapping[UUID, float]:
    candidates = selective(statistics, DEPTH)
    if not candidates:
        return {}
    weighed = weights(statistics)
    occurring = [term for term, number in statistics.frequencies.items() if number]
    rows = _sql.matches(
        conn,
        shelf=shelf,
        query=any_of(candidates),
        terms=[any_of([term]) for term in occurring],
        weights=[weighed[term] for term in occurring],
        average=statistics.average,
        depth=DEPTH,
        count=CANDIDATES,
    )
    return {row["id"]: row["score"] for row in rows}


def _by_meaning(conn: Connection, shelf: Shelf, vector: Vectors, chunks: int) -> Mapping[UUID, float]:
    rows = _sql.nearest(
        conn, shelf=shelf, model=vector.model, vector=vector.rows[0], whole=chunks <= WHOLE, count=CANDIDATES
    )
    return {row["id"]: row["cosine"] for row in rows}


def _by_page(conn: Connection, vector: Vectors) -> list[_Place]:
    rows = _sql.nearest_pages(conn, model=vector.model, vector=vector.rows[0], count=PAGES)
    return [(row["collection"], row["path"]) for row in rows]


def _passage(row: Mapping[str, Any], score: float, orders: _Orders, weighed: Mapping[str, float]) -> Passage:
    return Passage(
        id=row["id"],
        collection=row["collection"],
        path=row["path"],
        heading=row["heading"],
        anchor=row["anchor"],
        text=row["text"],
        score=score,
        lexical=orders.lexical.get(row["id"]),
        cosine=orders.cosines.get(row["id"]),
        coverage=coverage(weighed, row["terms"]),
    )
