"""A provider over real sockets: one that answers, and everything that pretends to be one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from tests.servers.hostile_http import HostileServer
from tests.servers.process import free_port

from atomctl.db.session import Sessions
from atomctl.embedding import codes
from atomctl.embedding.cache import CachedEmbedder
from atomctl.embedding.opening import load
from atomctl.embedding.provider import READ, Provider
from atomctl.errors import AtomError, Code
from atomctl.exchange import Patience
from atomctl.settings import Settings, load_settings

SHORT = Patience(connect=0.5, silence=0.5, whole=1.0)
KEY = "sk-canary-8d1f"


class Pretender:
    """Speaks as OpenAI does: a text's vector leans towards its length. Keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.heads: list[dict[str, str]] = []
        self.dimension = 8
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                server.asked.append(question)
                server.heads.append({"path": self.path, **{k.lower(): v for k, v in self.headers.items()}})
                size = question.get("dimensions", server.dimension)
                rows = [[1.0 if n == len(text) % size else 0.0 for n in range(size)] for text in question["input"]]
                data = [{"index": place, "embedding": row} for place, row in enumerate(rows)]
                body = json.dumps({"object": "list", "data": data[::-1], "model": question["model"]}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Pretender:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def provider() -> Iterator[Pretender]:
    with Pretender() as server:
        yield server


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(KEY)
    file.chmod(0o600)
    return file


@pytest.fixture
def hostile() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


def told(url: str, **more: str) -> Settings:
    return load_settings(env={"ATOM_EMBEDDING_URL": url, "ATOM_EMBEDDING_MODEL": "small", **more})


def test_a_provider_by_setting_answers_in_the_order_of_the_texts(provider: Pretender, key: Path) -> None:
    settings = told(provider.url, ATOM_EMBEDDING_DIMENSION="6", ATOM_EMBEDDING_KEY_FILE=str(key))
    embedder = load(settings)
    assert embedder.embed(["a", "bbb", "", "x" * 20_000]).argmax(axis=1).tolist() == [1, 3, 1, READ % 6]
    assert (embedder.dimension, embedder.name) == (6, f"small@{provider.url.split('/')[2]}")
    [asked], [head] = provider.asked, provider.heads
    assert asked == {
        "model": "small",
        "input": ["a", "bbb", " ", "x" * READ],
        "encoding_format": "float",
        "dimensions": 6,
    }
    assert (head["path"], head["authorization"]) == ("/v1/embeddings", f"Bearer {KEY}")
    assert KEY not in repr(settings)
    assert KEY not in repr(embedder)


def test_a_key_that_was_replaced_is_used_at_the_next_request(provider: Pretender, key: Path) -> None:
    embedder = Provider(url=provider.url, model="small", dimension=8, key_file=key)
    embedder.embed(["a"])
    key.write_text("sk-next")
    embedder.embed(["a"])
    assert [head["authorization"] for head in provider.heads] == [f"Bearer {KEY}", "Bearer sk-next"]


def test_a_dimension_that_nobody_set_is_not_asked_for_and_must_fit(provider: Pretender) -> None:
    embedder = load(told(provider.url))
    with pytest.raises(AtomError) as refusal:
        embedder.embed(["a"])
    assert refusal.value.code is codes.WRONG_DIMENSION
    assert "8 numbers, expected 384" in refusal.value.why
    assert "dimensions" not in provider.asked[0]
    provider.dimension = 384
    assert embedder.embed(["a"]).shape == (1, 384)
    assert "authorization" not in provider.heads[0]


def test_what_a_provider_gave_is_asked_for_once(
    provider: Pretender, worker_sessions: Sessions, make_tenant: Callable[[str], UUID]
) -> None:
    tenant = make_tenant("one")
    found = []
    for _ in range(2):
        with worker_sessions.tenant(tenant) as conn:
            embedder = Provider(url=provider.url, model="small", dimension=8)
            found.append(CachedEmbedder(conn, tenant, embedder).embed(["a", "bb"]))
    assert len(provider.asked) == 1
    assert np.array_equal(found[0], found[1])


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("ok", codes.NONSENSE),
        ("echo", codes.NONSENSE),
        ("teapot", codes.NONSENSE),
        ("big", codes.TOO_LARGE),
        ("huge", codes.TOO_LARGE),
        ("silent", codes.SLOW),
        ("drip", codes.SLOW),
        ("slow-body", codes.SLOW),
        ("dying", codes.NONSENSE),
        ("garbage", codes.NONSENSE),
        ("bomb", codes.NONSENSE),
        ("to-elsewhere", codes.REDIRECTED),
        ("to-metadata", codes.REDIRECTED),
    ],
)
def test_whoever_pretends_to_be_a_provider_is_found_out_in_time(
    behaviour: str,
    code: Code,
    hostile: HostileServer,
    worker_sessions: Sessions,
    make_tenant: Callable[[str], UUID],
) -> None:
    tenant = make_tenant("one")
    embedder = Provider(url=hostile.url(behaviour), model="small", dimension=8, patience=SHORT)
    with worker_sessions.tenant(tenant) as conn:
        with pytest.raises(AtomError) as refusal:
            CachedEmbedder(conn, tenant, embedder).embed(["a", "bb"])
        assert conn.execute("SELECT count(*) AS n FROM atom.embeddings").fetchone() == {"n": 0}
    assert refusal.value.code is code
    assert len(hostile.requests) == 1, "nobody was followed, and nothing was sent twice"


def test_a_provider_that_is_not_there_is_named() -> None:
    embedder = Provider(url=f"http://127.0.0.1:{free_port()}/v1", model="small", dimension=8, patience=SHORT)
    with pytest.raises(AtomError) as refusal:
        embedder.embed(["a"])
    assert refusal.value.code is codes.UNREACHABLE


def test_a_text_that_is_none_is_refused_before_anything_is_sent(provider: Pretender) -> None:
    with pytest.raises(AtomError) as refusal:
        Provider(url=provider.url, model="small", dimension=8).embed(["a", "\ud800"])
    assert refusal.value.code is codes.NOT_TEXT
    assert provider.asked == []


def test_a_key_that_others_can_read_stops_everything_before_it_starts(provider: Pretender, key: Path) -> None:
    key.chmod(0o644)
    with pytest.raises(AtomError) as refusal:
        load(told(provider.url, ATOM_EMBEDDING_KEY_FILE=str(key)))
    assert refusal.value.code is codes.BAD_KEY_FILE
