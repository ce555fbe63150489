"""How long a question takes on a large shelf, beside PostgreSQL's plain text search over the same chunks.

    python benchmarks/retrieval.py [--chunks 100000] [--questions 200] [--seconds 60] [--json]

On a fresh embedded server, one tenant. The chunks are synthetic: words by Zipf's law, as in prose, and vectors around a
thousand topics. They say how long it takes and nothing about quality; the test with fifty questions does that. The
server is asked what `atomctl ask` asks it; the time of the model is not part of it. In one run:

- `plain text search`: `search @@ query ORDER BY ts_rank` under row level security: the baseline.
- `words`: knowledge's own search by words alone.
- `words and meaning`: by words, by meaning and by page, fused.
- `recall@10`: how many of the ten nearest chunks the graph finds, beside comparing all vectors.

Loading takes most of the time; it ends at `--seconds`, and what was loaded until then is what is asked (`chunks`).
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.migrate import migrate
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError
from atomctl.knowledge import codes
from atomctl.knowledge.model import DIMENSION, Shelf, Vectors
from atomctl.knowledge.retrieval import Query, search

MODEL = "random"
TOPICS = 1_000
VOCABULARY = 20_000
WORDS = 90
"""Of a chunk, on average as in this project's documentation."""
PER_PAGE = 12
BATCH = 6_000
PLAIN = """
SELECT id, ts_rank(search, query) AS score
FROM atom.knowledge_chunks, to_tsquery('pg_catalog.simple', %s) AS query
WHERE search @@ query ORDER BY score DESC LIMIT 10
"""
NEAREST = "SELECT id FROM atom.nearest_chunks('page', %s, %s, %s, 10)"


class Prose:
    """Words, chunks, questions and vectors from one seed."""

    def __init__(self, seed: int = 7) -> None:
        self._random = np.random.default_rng(seed)
        self._words = [f"w{number}x" for number in range(VOCABULARY)]
        self._upto = np.cumsum(1 / np.arange(1, VOCABULARY + 1))
        self._topics = self._unit(self._random.standard_normal((TOPICS, DIMENSION)))

    def chunks(self, count: int) -> list[str]:
        """Texts of ninety words; the commonest stands in most of them, the rarest in very few."""
        drawn = self._random.random((count, WORDS)) * self._upto[-1]
        return [" ".join(self._words[place] for place in row) for row in np.searchsorted(self._upto, drawn)]

    def question(self) -> str:
        """Three common, three middling and two rare words."""
        places = ((5, 100, 3), (100, 2_000, 3), (2_000, VOCABULARY, 2))
        return " ".join(self._words[place] for low, high, n in places for place in self._random.integers(low, high, n))

    def vectors(self, count: int) -> Any:
        """Unit vectors around topics; two of one topic have a cosine of one half."""
        topics = self._topics[self._random.integers(0, TOPICS, count)]
        return self._unit(topics + self._unit(self._random.standard_normal((count, DIMENSION))))

    def _unit(self, rows: Any) -> Any:
        return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def written(vector: Any) -> str:
    """As pgvector reads it."""
    return "[" + ",".join(f"{value:.5f}" for value in vector) + "]"


def sent(vectors: Any) -> list[bytes]:
    """As pgvector's `halfvec_recv` takes them: the dimension, two zero bytes, the halves, all in network order."""
    head = DIMENSION.to_bytes(2, "big") + b"\0\0"
    return [head + row.tobytes() for row in vectors.astype(">f2")]


class Shelves:
    """A server with one tenant whose shelf is filled past the product's own functions, which take a page at a time."""

    def __init__(self, server: EmbeddedPostgres, sessions: Sessions) -> None:
        self._server, self.sessions, self.tenant = server, sessions, new_id()
        self.prose = Prose()
        with sessions.tenant(self.tenant) as conn:
            conn.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'bench')", (self.tenant,))

    def fill(self, chunks: int, until: float) -> int:
        """How many chunks were loaded; the graph and the other indexes exist afterwards."""
        with self._server.admin.connect() as admin:
            # As a restore would: rows first, indexes afterwards.
            admin.execute("DROP INDEX atom.knowledge_vectors_by_meaning, atom.knowledge_chunks_by_word")
            loaded = 0
            while loaded < chunks and time.monotonic() < until:
                loaded += self._load(admin, min(BATCH, chunks - loaded))
            self._count(admin)
            admin.execute("SET maintenance_work_mem = '1GB'")
            admin.execute("SET max_parallel_maintenance_workers = 2")
            admin.execute("CREATE INDEX knowledge_chunks_by_word ON atom.knowledge_chunks USING gin (search)")
            admin.execute(
                "CREATE INDEX knowledge_vectors_by_meaning ON atom.knowledge_vectors"
                " USING hnsw (embedding public.halfvec_cosine_ops)"
            )
            admin.execute("VACUUM ANALYZE")
        return loaded

    def _load(self, admin: Connection, count: int) -> int:
        ids = [new_id() for _ in range(count)]
        texts = self.prose.chunks(count)
        vectors = sent(self.prose.vectors(count))
        pages = [(f"{ids[start]}.md", len(ids[start : start + PER_PAGE])) for start in range(0, count, PER_PAGE)]
        given: dict[str, Any] = {"tenant": self.tenant, "words": WORDS, "model": MODEL, "ids": ids, "texts": texts}
        admin.execute(
            "INSERT INTO atom.knowledge_documents (tenant_id, collection, path, shelf, digest, chunks, words, model)"
            " SELECT %(tenant)s, 'bench', p, 'page', 'x', n, n * %(words)s, %(model)s"
            " FROM unnest(%(paths)s::text[], %(sizes)s::integer[]) AS u (p, n)",
            {**given, "paths": [path for path, _ in pages], "sizes": [size for _, size in pages]},
        )
        admin.execute(
            "INSERT INTO atom.knowledge_chunks"
            " SELECT %(tenant)s, i, 'bench', p, n, 'page', 'A heading', 'a-heading', t, %(words)s,"
            " to_tsvector('pg_catalog.simple', t)"
            " FROM unnest(%(ids)s::uuid[], %(texts)s::text[], %(paths)s::text[], %(places)s::integer[])"
            " AS u (i, t, p, n)",
            {
                **given,
                "paths": [pages[place // PER_PAGE][0] for place in range(count)],
                "places": [place % PER_PAGE for place in range(count)],
            },
        )
        self._copy(
            admin, "knowledge_vectors", "chunk_id, shelf, model", [(chunk, "page", MODEL) for chunk in ids], vectors
        )
        places = [("bench", path, MODEL) for path, _ in pages]
        self._copy(admin, "knowledge_gists", "collection, path, model", places, vectors[::PER_PAGE])
        return count

    def _copy(
        self, admin: Connection, table: str, columns: str, rows: list[tuple[Any, ...]], vectors: list[bytes]
    ) -> None:
        statement = f"COPY atom.{table} (tenant_id, {columns}, embedding) FROM STDIN WITH (FORMAT BINARY)"
        with admin.cursor().copy(statement) as copy:
            first = "uuid" if columns.startswith("chunk") else "text"
            copy.set_types(["uuid", first, "text", "text", "bytea"])  # a vector's bytes are its own
            for row, vector in zip(rows, vectors, strict=True):
                copy.write_row((self.tenant, *row, vector))

    def _count(self, admin: Connection) -> None:
        admin.execute(
            "INSERT INTO atom.knowledge_terms (tenant_id, shelf, term, chunks)"
            " SELECT %s, 'page', word, ndoc FROM ts_stat('SELECT search FROM atom.knowledge_chunks')",
            (self.tenant,),
        )


def timed(asked: Iterator[Callable[[Connection], object]], sessions: Sessions, tenant: UUID) -> list[float]:
    """Milliseconds of each, in a transaction of its own."""
    took = []
    for ask in asked:
        begun = time.perf_counter()
        with sessions.tenant(tenant) as conn:
            ask(conn)
        took.append((time.perf_counter() - begun) * 1000)
    return took


def figures(took: list[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    return {"p50_ms": round(float(np.percentile(took, 50)), 1), "p99_ms": round(float(np.percentile(took, 99)), 1)}


def measure(shelves: Shelves, count: int) -> dict[str, Any]:
    """The three searches over the same questions, each once before it counts, and the recall of the graph."""
    prose, sessions, tenant = shelves.prose, shelves.sessions, shelves.tenant
    questions = [prose.question() for _ in range(count)]
    vectors = [Vectors(MODEL, (written(vector),), written(vector)) for vector in prose.vectors(count)]
    alone = AtomError(codes.NO_VECTORS, "words alone")
    searches: dict[str, Callable[[str, Vectors], Callable[[Connection], object]]] = {
        "plain text search": lambda text, _: lambda conn: conn.execute(PLAIN, (" | ".join(text.split()),)).fetchall(),
        "words": lambda text, _: lambda conn: search(conn, tenant, Query(Shelf.PAGE, text, alone), 3),
        "words and meaning": lambda text, vector: lambda conn: search(conn, tenant, Query(Shelf.PAGE, text, vector), 3),
    }
    found: dict[str, Any] = {}
    for name, ask in searches.items():
        asked = [ask(text, vector) for text, vector in zip(questions, vectors, strict=True)]
        timed(iter(asked[:10]), sessions, tenant)
        found[name] = figures(timed(iter(asked), sessions, tenant))
    found["recall@10"] = recall(shelves, vectors[:20])
    return found


def recall(shelves: Shelves, vectors: list[Vectors]) -> float:
    """The share of the ten nearest that the graph finds."""
    shared = 0
    with shelves.sessions.tenant(shelves.tenant) as conn:
        for vector in vectors:
            graph, whole = (
                {row["id"] for row in conn.execute(NEAREST, (MODEL, vector.rows[0], exact))} for exact in (False, True)
            )
            shared += len(graph & whole)
    return round(shared / (10 * len(vectors)), 3)


def main() -> None:
    """Prints a table, or with `--json` one document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chunks", type=int, default=100_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60, help="loading ends then, however much is loaded")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atomctl-bench-") as folder:
        Path(folder).chmod(0o711)
        server = EmbeddedPostgres(Path(folder) / "home", {"shared_buffers": "512MB", "max_wal_size": "4GB"})
        with server as address:
            migrate(address, server.admin)
            with Sessions(address) as sessions:
                shelves = Shelves(server, sessions)
                begun = time.monotonic()
                loaded = shelves.fill(given.chunks, begun + given.seconds)
                filled = time.monotonic() - begun
                found = {"chunks": loaded, "load_s": round(filled, 1), **measure(shelves, given.questions)}
    if given.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        shown = f"p50 {value['p50_ms']:8.1f} ms   p99 {value['p99_ms']:8.1f} ms" if isinstance(value, dict) else value
        print(f"{name:<20} {shown}")


if __name__ == "__main__":
    main()
