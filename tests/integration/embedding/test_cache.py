"""The table of embeddings on a real PostgreSQL: each tenant's own, computed once, never a number that is none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
import pytest

from atomctl.db.session import Sessions
from atomctl.embedding import codes
from atomctl.embedding.cache import CachedEmbedder, forget_texts, text_digest
from atomctl.embedding.model import Vectors
from atomctl.errors import AtomError

MakeTenant = Callable[[str], UUID]
COUNT = "SELECT count(*) AS n FROM atom.embeddings"


@dataclass
class Counting:
    """Vectors that lean towards the text's first letter; keeps what it was asked for."""

    name: str = "letters@1"
    dimension: int = 26
    asked: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row, ord(text[0]) - ord("a")] = 1
        return vectors


def test_what_was_computed_once_comes_from_the_table(worker_sessions: Sessions, make_tenant: MakeTenant) -> None:
    tenant, model = make_tenant("one"), Counting()
    with worker_sessions.tenant(tenant) as conn:
        first = CachedEmbedder(conn, tenant, model).embed(["apple", "boat", "apple"])
    assert sorted(model.asked) == ["apple", "boat"]
    with worker_sessions.tenant(tenant) as conn:
        again = CachedEmbedder(conn, tenant, model).embed(["boat", "cloud", "apple"])
    assert sorted(model.asked) == ["apple", "boat", "cloud"]
    assert first.tobytes() == np.stack([again[2], again[0], again[2]]).tobytes()
    assert again[1, 2] == 1


def test_a_long_list_keeps_its_order_and_none_stays_none(worker_sessions: Sessions, make_tenant: MakeTenant) -> None:
    tenant, model = make_tenant("one"), Counting()
    texts = [f"{chr(ord('a') + number % 26)}{number}" for number in range(1300)]
    with worker_sessions.tenant(tenant) as conn:
        cached = CachedEmbedder(conn, tenant, model)
        assert cached.embed(texts).argmax(axis=1).tolist() == [number % 26 for number in range(1300)]
        assert cached.embed([]).shape == (0, 26)
    assert (cached.name, cached.dimension) == ("letters@1", 26)


def test_another_version_of_the_model_has_vectors_of_its_own(
    worker_sessions: Sessions, make_tenant: MakeTenant
) -> None:
    tenant, newer = make_tenant("one"), Counting(name="letters@2", dimension=30)
    with worker_sessions.tenant(tenant) as conn:
        CachedEmbedder(conn, tenant, Counting()).embed(["apple"])
        assert CachedEmbedder(conn, tenant, newer).embed(["apple"]).shape == (1, 30)
    assert newer.asked == ["apple"]


def test_no_tenant_has_anything_of_anothers_cache(sessions: Sessions, make_tenant: MakeTenant) -> None:
    one, two, model = make_tenant("one"), make_tenant("two"), Counting()
    for tenant in (one, two):
        with sessions.tenant(tenant) as conn:
            CachedEmbedder(conn, tenant, model).embed(["apple"])
            assert conn.execute(COUNT).fetchone() == {"n": 1}
    assert model.asked == ["apple", "apple"]
    with sessions.tenant(two) as conn:
        assert forget_texts(conn, one, [text_digest("apple")]) == 0


def test_two_who_compute_the_same_text_hand_out_the_same_bytes(
    worker_sessions: Sessions, make_tenant: MakeTenant
) -> None:
    """Their processors may differ in the last bits: who commits first is right."""
    tenant, both = make_tenant("one"), threading.Barrier(2)

    @dataclass
    class Different(Counting):
        tilt: float = 0.0

        def embed(self, texts: Sequence[str]) -> Vectors:
            vectors = super().embed(texts)
            vectors[:, 25] = self.tilt
            both.wait(20)
            return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)

    def compute(tilt: float) -> bytes:
        with worker_sessions.tenant(tenant) as conn:
            return CachedEmbedder(conn, tenant, Different(tilt=tilt)).embed(["apple", "boat"]).tobytes()

    with ThreadPoolExecutor(2) as threads:
        assert len(set(threads.map(compute, [1e-4, 2e-4]))) == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, 7.0])
def test_a_bad_vector_never_enters_the_table(bad: float, worker_sessions: Sessions, make_tenant: MakeTenant) -> None:
    tenant = make_tenant("one")

    class Broken(Counting):
        def embed(self, texts: Sequence[str]) -> Vectors:
            vectors = super().embed(texts)
            vectors[-1] = bad
            return vectors

    with worker_sessions.tenant(tenant) as conn:
        with pytest.raises(AtomError) as refusal:
            CachedEmbedder(conn, tenant, Broken()).embed(["apple", "boat"])
        assert refusal.value.code is codes.NOT_FINITE
        assert conn.execute(COUNT).fetchone() == {"n": 0}


@pytest.mark.parametrize("value", ["'NaN'", "0"])
def test_a_damaged_row_is_named_and_not_used(
    value: str, postgres_statement: Callable[[str], None], worker_sessions: Sessions, make_tenant: MakeTenant
) -> None:
    tenant, model = make_tenant("one"), Counting()
    with worker_sessions.tenant(tenant) as conn:
        CachedEmbedder(conn, tenant, model).embed(["apple"])
    number = f"set_byte(set_byte(vector, 2, {0xC0 if value != '0' else 0}), 3, {0x7F if value != '0' else 0})"
    postgres_statement(f"UPDATE atom.embeddings SET vector = {number}")
    with worker_sessions.tenant(tenant) as conn, pytest.raises(AtomError) as refusal:
        CachedEmbedder(conn, tenant, model).embed(["apple"])
    assert refusal.value.code is codes.DAMAGED_CACHE


def test_what_is_no_text_is_refused_before_anything_is_computed(
    worker_sessions: Sessions, make_tenant: MakeTenant
) -> None:
    tenant, model = make_tenant("one"), Counting()
    with worker_sessions.tenant(tenant) as conn, pytest.raises(AtomError) as refusal:
        CachedEmbedder(conn, tenant, model).embed(["apple", "\ud800"])
    assert refusal.value.code is codes.NOT_TEXT
    assert model.asked == []


def test_vectors_of_texts_that_must_go_are_forgotten_in_every_model(
    worker_sessions: Sessions, make_tenant: MakeTenant
) -> None:
    tenant, again = make_tenant("one"), Counting()
    with worker_sessions.tenant(tenant) as conn:
        CachedEmbedder(conn, tenant, Counting()).embed(["apple", "boat"])
        CachedEmbedder(conn, tenant, Counting(name="letters@2")).embed(["apple"])
    with worker_sessions.tenant(tenant) as conn:
        assert forget_texts(conn, tenant, [text_digest("apple"), text_digest("never seen")]) == 2
        assert conn.execute(COUNT).fetchone() == {"n": 1}
        CachedEmbedder(conn, tenant, again).embed(["apple", "boat"])
    assert again.asked == ["apple"]
