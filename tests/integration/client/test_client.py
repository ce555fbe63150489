"""The HTTP client against a server that behaves well, badly, or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from atomctl.client import BAD_ADDRESS, NONSENSE, UNREACHABLE, Client
from atomctl.errors import AtomError, ExitCode

Answer = Callable[[BaseHTTPRequestHandler], None]
PROBLEM = {
    "code": "REG404",
    "title": "no such package",
    "meaning": "It was never pushed.",
    "hint": "atomctl packages list",
    "exit": 2,
    "detail": "no such package",
    "retryable": False,
}


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """A server on a free port that gives every request to `answer`; its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def do_POST(self) -> None:
            answer(self)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class named it
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def reply(handler: BaseHTTPRequestHandler, body: object, status: int = 200, *, close: bool = False) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(data)))
    if close:
        handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(data)
    if close:
        handler.close_connection = True


def test_parameters_that_are_none_are_left_out_and_the_token_is_sent() -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append((handler.path, handler.headers["authorization"]))
        reply(handler, {})

    with serving(answer) as url, Client(url, "secret") as client:
        client.get("runs", state=None, limit=5, name="a b", dry=True)
    assert seen == [("/api/v1/runs?limit=5&name=a+b&dry=true", "Bearer secret")]


def test_a_change_carries_its_body_and_its_key() -> None:
    seen: list[object] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers["content-length"])
        seen.append((handler.headers["idempotency-key"], json.loads(handler.rfile.read(length))))
        reply(handler, {"id": 1}, 201)

    with serving(answer) as url, Client(url) as client:
        assert client.post("runs", {"workflow": "w"}, idempotency_key="once") == {"id": 1}
    assert seen == [("once", {"workflow": "w"})]


def test_pages_are_followed_and_no_more_is_fetched_than_was_asked_for() -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        start = int(handler.path.partition("after=")[2].partition("&")[0] or 0)
        reply(handler, {"items": [{"n": start}, {"n": start + 1}], "next": str(start + 2)})

    with serving(answer) as url, Client(url) as client:
        assert [item["n"] for item in client.pages("runs", limit=4)] == [0, 1, 2, 3]


def test_a_problem_document_is_raised_as_the_error_it_describes() -> None:
    with serving(lambda handler: reply(handler, PROBLEM, 404)) as url, Client(url) as client:
        with pytest.raises(AtomError) as caught:
            client.get("packages/x/1")
        assert client.ready() is False
    assert (caught.value.code.id, caught.value.code.exit, caught.value.hint) == (
        "REG404",
        ExitCode.USAGE,
        "atomctl packages list",
    )


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"\xff", b'{"code": "X"}'])
def test_an_answer_that_is_no_document_is_nonsense(body: bytes) -> None:
    status = 500 if body.startswith(b"{") else 200
    server = serving(lambda handler: reply(handler, body, status))
    with server as url, Client(url) as client, pytest.raises(AtomError) as caught:
        client.get("runs")
    assert caught.value.code is NONSENSE


def test_a_connection_the_server_has_closed_is_opened_again() -> None:
    with serving(lambda handler: reply(handler, {"ok": 1}, close=True)) as url, Client(url) as client:
        assert [client.get("runs") for _ in range(3)] == [{"ok": 1}] * 3


def test_nobody_listening_is_unreachable() -> None:
    with serving(lambda handler: reply(handler, {})) as url:
        pass
    with Client(url) as client, pytest.raises(AtomError) as caught:
        client.get("runs")
    assert (caught.value.code, caught.value.code.exit) == (UNREACHABLE, ExitCode.SERVICE)


def test_a_download_that_breaks_off_leaves_nothing_behind(tmp_path: Path) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nhello\r\n5\r\nhe")
        handler.close_connection = True

    with serving(answer) as url, Client(url) as client:
        with pytest.raises(AtomError) as caught:
            client.download("audit/export", tmp_path / "bundle")
        assert caught.value.code is UNREACHABLE
    assert list(tmp_path.iterdir()) == []


def test_a_download_to_where_nothing_can_be_written_is_a_failure_of_the_file(tmp_path: Path) -> None:
    with serving(lambda handler: reply(handler, {})) as url, Client(url) as client:
        with pytest.raises(FileNotFoundError):
            client.download("audit/export", tmp_path / "absent" / "bundle")
        assert client.get("runs") == {}


@pytest.mark.parametrize(
    "url", ["", "atom.example", "ftp://atom.example", "http://", "http://h:99999", "http://u:p@h", "http://h?x"]
)
def test_what_is_no_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(AtomError) as caught:
        Client(url)
    assert caught.value.code is BAD_ADDRESS
