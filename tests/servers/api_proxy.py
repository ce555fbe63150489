"""An API server that misbehaves on demand: a proxy in front of a real one, which it asks whenever it behaves."""

from __future__ import annotations

import contextlib
import json
import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType

import httpx
from tests.servers.kubernetes import Kubernetes

Misbehaviour = Callable[["Handler"], bool]
"""Answers a request in its own way and returns True, or leaves it to the real server."""


class ApiProxy:
    """Speaks plain HTTP on loopback; `misbehave` decides about each request."""

    def __init__(self, kubernetes: Kubernetes) -> None:
        trust = ssl.create_default_context(cafile=kubernetes.authority)
        self.real = httpx.Client(base_url=kubernetes.url, verify=trust, trust_env=False, timeout=30)
        self.token = kubernetes.token
        self.misbehave: Misbehaviour = lambda _: False
        self.requests: list[tuple[str, str]] = []
        """Method and path with its query, of every request that came."""
        self.stopping = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self)

    def kubeconfig(self, folder: Path) -> Path:
        """A kubeconfig of the administrator that leads here."""
        port = self._server.server_address[1]
        file = folder / "proxy.kubeconfig"
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "proxy",
            "clusters": [{"name": "proxy", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "admin", "user": {"token": self.token}}],
            "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "admin"}}],
        }
        file.write_text(json.dumps(config))
        return file

    def writes(self) -> list[str]:
        """The paths of requests that change something in earnest."""
        return [path for method, path in self.requests if method != "GET" and "dryRun" not in path]

    def __enter__(self) -> ApiProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self.real.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], proxy: ApiProxy) -> None:
        super().__init__(address, Handler)
        self.proxy = proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing of a client that broke off: the tests are about that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # a socket and its peer


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: _Server
    body: bytes

    def log_message(self, *_: object) -> None:
        """Nothing: the tests look at `requests`."""

    def _answer(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
        proxy = self.server.proxy
        proxy.requests.append((self.command, self.path))
        with contextlib.suppress(OSError):
            if proxy.stopping.is_set() or not proxy.misbehave(self):
                self.forward()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _answer  # noqa: N815  # the library's names

    def forward(self) -> None:
        """The real server's answer."""
        answer = self.ask()
        self.say(answer.status_code, answer.content, answer.headers.get("content-type", ""))

    def ask(self) -> httpx.Response:
        """What the real server says."""
        kept = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "connection"}}
        return self.server.proxy.real.request(self.command, self.path, content=self.body, headers=kept)

    def say(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        """An answer of one's own."""
        self.send_response(status)
        for name, value in {"content-type": kind, "content-length": str(len(body)), **headers}.items():
            if value:
                self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_and_cut(self) -> bool:
        """The real server does it, and its answer gets lost."""
        self.ask()
        return self.cut()

    def cut(self, after: bytes = b"") -> bool:
        """The connection ends in the middle of an answer: True."""
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(after) + 1000))
        self.end_headers()
        self.wfile.write(after)
        self.close_connection = True
        return True


def times(count: int, do: Callable[[Handler], object], only: str = "") -> Misbehaviour:
    """Misbehaves so many times, on requests of the method `only` that are meant in earnest, if one is named."""
    left = [count]

    def misbehave(handler: Handler) -> bool:
        meant = not only or (handler.command == only and "dryRun" not in handler.path)
        if not left[0] or not meant:
            return False
        left[0] -= 1
        do(handler)
        return True

    return misbehave


def refuse(status: int, reason: str, message: str, **headers: str) -> Callable[[Handler], None]:
    """Answers with a Status object."""
    body = json.dumps({"kind": "Status", "apiVersion": "v1", "reason": reason, "message": message, "code": status})
    return lambda handler: handler.say(status, body.encode(), **headers)


def sleep(seconds: float) -> Callable[[Handler], None]:
    """Says nothing for so long, or until the proxy ends."""
    return lambda handler: (handler.server.proxy.stopping.wait(seconds), None)[1]
