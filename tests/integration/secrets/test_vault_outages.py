"""A server that is sealed, killed, slow, or something else entirely: each has its own code, and none hangs."""

import socket
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.secrets.conftest import BRIEF, OpensStores, code_of, refusal
from tests.servers import hostile_http
from tests.servers.certificates import make_certificate
from tests.servers.hostile_http import BEHAVIOURS, HostileServer
from tests.servers.openbao import OpenBao

from atomctl.errors import Code
from atomctl.secrets import codes
from atomctl.secrets.cache import CachedSource
from atomctl.secrets.vault import VaultSource
from atomctl.secrets.vault_settings import VaultSettings

CANARY = "canary-41ab09-value"
PAGE = b"<!doctype html><title>Welcome</title>"


def answering(status: str, body: bytes, *headers: str) -> hostile_http.Behaviour:
    def behave(_: HostileServer, connection: socket.socket, request: bytes) -> None:
        hostile_http._reply(connection, status, body, *headers)

    return behave


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    json, html = "Content-Type: application/json", "Content-Type: text/html"
    for name, behaviour in {
        "html-ok": answering("200 OK", PAGE, html),
        "html-missing": answering("404 Not Found", PAGE, html),
        "html-forbidden": answering("403 Forbidden", PAGE, html),
        "html-gateway": answering("502 Bad Gateway", PAGE, html),
        "html-unavailable": answering("503 Service Unavailable", PAGE, html),
        "html-error": answering("500 Internal Server Error", PAGE, html),
        "json-error": answering("500 Internal Server Error", b'{"errors": ["internal error"]}', json),
        "json-busy": answering("429 Too Many Requests", b'{"errors": ["rate limit"]}', json),
        "json-list": answering("200 OK", b"[1, 2]", json),
        "json-empty": answering("200 OK", b"{}", json),
        "json-wrong": answering("200 OK", b'{"data": {"ttl": "never", "renewable": "maybe"}}', json),
        "json-cut": answering("200 OK", b'{"data": {"ttl": 60', json),
    }.items():
        monkeypatch.setitem(BEHAVIOURS, name, behaviour)


def read_from(address: str, tenant: UUID) -> Code:
    source = VaultSource(VaultSettings(address=address, mount="secret", token="s.token"), BRIEF)
    return code_of(lambda: source.read(tenant, "db"))


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("html-ok", codes.NONSENSE),
        ("html-missing", codes.NONSENSE),
        ("html-forbidden", codes.NONSENSE),
        ("html-gateway", codes.SERVER_ERROR),
        ("html-unavailable", codes.SERVER_ERROR),
        ("html-error", codes.SERVER_ERROR),
        ("json-error", codes.SERVER_ERROR),
        ("json-busy", codes.SLOW),
        ("json-list", codes.NONSENSE),
        ("json-empty", codes.NONSENSE),
        ("json-wrong", codes.NONSENSE),
        ("json-cut", codes.NONSENSE),
        ("ok", codes.NONSENSE),
        ("teapot", codes.NONSENSE),
        ("huge", codes.NONSENSE),
        ("bomb", codes.NONSENSE),
        ("to-ok", codes.NONSENSE),
        ("to-elsewhere", codes.NONSENSE),
        ("garbage", codes.DOWN),
        ("dying", codes.DOWN),
        ("silent", codes.SLOW),
        ("slow-body", codes.SLOW),
    ],
)
def test_each_wrong_answer_has_its_code_and_comes_in_time(behaviour: str, code: Code, tenant: UUID) -> None:
    with HostileServer() as server:
        begun = time.monotonic()
        assert read_from(server.url(behaviour), tenant) is code
        assert time.monotonic() - begun < 4
        assert all(request.count(b"s.token") == 1 for request in server.requests)


def test_a_header_a_moment_for_ever_ends_too(tenant: UUID) -> None:
    with HostileServer() as server:
        begun = time.monotonic()
        assert read_from(server.url("drip"), tenant) in {codes.DOWN, codes.SLOW}
        assert time.monotonic() - begun < 20


def test_nothing_listens(tenant: UUID) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert read_from(f"http://127.0.0.1:{port}", tenant) is codes.DOWN


@pytest.mark.parametrize(("ends_in", "trusted"), [(timedelta(minutes=-5), True), (timedelta(hours=1), False)])
def test_an_expired_certificate_and_one_nobody_vouches_for_are_refused(
    tmp_path: Path, tenant: UUID, ends_in: timedelta, trusted: bool
) -> None:
    tls, _ = make_certificate("localhost", tmp_path, ends_in=ends_in)
    with HostileServer(tls) as server:
        ca_file = tmp_path / "localhost.pem" if trusted else None
        address = f"https://localhost:{server.port}"
        source = VaultSource(VaultSettings(address=address, mount="secret", token="s.token", ca_file=ca_file), BRIEF)
        assert "certificate" in refusal(lambda: source.read(tenant, "db")).why
        assert server.requests == []


def test_the_environment_does_not_choose_where_tokens_go(tenant: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    with HostileServer() as proxy, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "VAULT_ADDR"):
            monkeypatch.setenv(name, proxy.url("echo"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.setenv("VAULT_TOKEN", "s.fromTheEnvironment")
        assert read_from(f"http://127.0.0.1:{port}", tenant) is codes.DOWN
        assert proxy.requests == []


def test_a_server_that_is_sealed_serves_nothing_and_memory_neither(
    tmp_path: Path, open_store: OpensStores, tenant: UUID
) -> None:
    with OpenBao(tmp_path) as server:
        source = CachedSource(open_store(server, tenant, patience=BRIEF))
        source.write(tenant, "db", {"password": CANARY}, expected_version=0)
        assert source.read(tenant, "db").fresh
        server.request("PUT", "sys/seal")
        assert code_of(lambda: source.read(tenant, "db")) is codes.SEALED
        assert code_of(lambda: source.write(tenant, "db", {"a": "other-value"}, expected_version=1)) is codes.SEALED
        server.crash()
        assert code_of(lambda: source.read(tenant, "db")) is codes.DOWN


def test_a_server_killed_between_two_calls_is_outlived_by_what_was_read(
    tmp_path: Path, open_store: OpensStores, tenant: UUID
) -> None:
    with OpenBao(tmp_path) as server:
        source = CachedSource(open_store(server, tenant, patience=BRIEF))
        source.write(tenant, "db", {"password": CANARY}, expected_version=0)
        source.write(tenant, "api", {"password": CANARY}, expected_version=0)
        assert source.read(tenant, "db").fresh
        server.crash()
        found = source.read(tenant, "db")
        assert (found.values, found.version, found.fresh) == ({"password": CANARY}, 1, False)
        assert code_of(lambda: source.read(tenant, "api")) is codes.DOWN
        assert code_of(lambda: source.write(tenant, "db", {"a": "other-value"}, expected_version=1)) is codes.DOWN


def test_a_server_that_hangs_is_outlived_too_and_recovers(
    tmp_path: Path, open_store: OpensStores, tenant: UUID
) -> None:
    with OpenBao(tmp_path) as server:
        source = CachedSource(open_store(server, tenant, patience=BRIEF))
        source.write(tenant, "db", {"password": CANARY}, expected_version=0)
        source.read(tenant, "db")
        server.pause()
        assert not source.read(tenant, "db").fresh
        assert code_of(lambda: source.read(tenant, "api")) is codes.SLOW
        server.resume()
        assert source.read(tenant, "db").fresh
