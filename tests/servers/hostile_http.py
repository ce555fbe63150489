"""An HTTP server that is slow, wrong, huge, or dies: what the path says. One thread per connection, loopback only."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType

Behaviour = Callable[["HostileServer", socket.socket, bytes], None]


class HostileServer:
    """Answers `GET /behaviour` as the behaviour of that name does; keeps every request's head and body."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.requests: list[bytes] = []
        self.stopping = threading.Event()
        self.hung_up = threading.Event()
        """Set when a client leaves while the server is still talking or waiting."""
        self.connected = threading.Event()

    @property
    def address(self) -> str:
        """host:port, as a worker allows it."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        """The URL of a behaviour."""
        return f"http://{host}:{self.port}/{path}"

    def __enter__(self) -> HostileServer:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self.connected.set()
        if self._tls is not None:
            try:
                connection = self._tls.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        with connection:
            try:
                request = self._read(connection)
                self.requests.append(request)
                path = request.split(b" ", 2)[1].decode().strip("/").split("?")[0]
                BEHAVIOURS[path.split("/")[0]](self, connection, request)
            except OSError:
                self.hung_up.set()

    @staticmethod
    def _read(connection: socket.socket) -> bytes:
        data = b""
        while b"\r\n\r\n" not in data:
            chunk = connection.recv(65536)
            if not chunk:
                raise OSError("left in the middle of the head")
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(
            (int(h.split(b":")[1]) for h in head.split(b"\r\n") if h.lower().startswith(b"content-length")), 0
        )
        while len(body) < length:
            body += connection.recv(65536)
        return head + b"\r\n\r\n" + body


def _reply(connection: socket.socket, status: str, body: bytes = b"", *headers: str) -> None:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def _ok(_: HostileServer, connection: socket.socket, request: bytes) -> None:
    _reply(connection, "200 OK", b'{"state": "green", "count": 3}', "X-Kind: test")


def _big(_: HostileServer, connection: socket.socket, request: bytes) -> None:
    _reply(connection, "200 OK", b"x" * 200_000)


def _echo(_: HostileServer, connection: socket.socket, request: bytes) -> None:
    _reply(connection, "200 OK", request)


def _teapot(_: HostileServer, connection: socket.socket, request: bytes) -> None:
    _reply(connection, "418 I'm a teapot", b"short and stout")


def _silent(server: HostileServer, connection: socket.socket, request: bytes) -> None:
    if connection.recv(1) == b"":
        server.hung_up.set()


def _drip(server: HostileServer, connection: socket.socket, request: bytes) -> None:
    """A header a moment, for ever: no single read is slow."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not server.stopping.wait(0.02):
        connection.sendall(b"X-Drip: drop\r\n")


def _slow_body(server: HostileServer, connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not server.stopping.wait(0.02):
        connection.sendall(b"x")


def _huge(server: HostileServer, connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not server.stopping.is_set():
        connection.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def _dying(_: HostileServer, connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf of it")


def _garbage(_: HostileServer, connection: socket.socket, request: bytes) -> None:
    connection.sendall(b"\x16\x03\x01 SSH-2.0-nonsense\r\n\r\n")


def _bomb(_: HostileServer, connection: socket.socket, request: bytes) -> None:
    _reply(connection, "200 OK", b"\x1f\x8b" + b"\0" * 100, "Content-Encoding: gzip")


def _flaky(server: HostileServer, connection: socket.socket, request: bytes) -> None:
    """Dies on the first request and answers the second."""
    if len(server.requests) > 1:
        _ok(server, connection, request)


def _redirect(to: str) -> Behaviour:
    def behave(server: HostileServer, connection: socket.socket, request: bytes) -> None:
        _reply(connection, "302 Found", b"", f"Location: {to.format(port=server.port)}")

    return behave


BEHAVIOURS: dict[str, Behaviour] = {
    "ok": _ok,
    "big": _big,
    "echo": _echo,
    "teapot": _teapot,
    "silent": _silent,
    "drip": _drip,
    "slow-body": _slow_body,
    "huge": _huge,
    "dying": _dying,
    "garbage": _garbage,
    "bomb": _bomb,
    "flaky": _flaky,
    "to-ok": _redirect("/ok"),
    "to-metadata": _redirect("http://169.254.169.254/latest/meta-data/"),
    "to-itself": _redirect("/to-itself"),
    "to-elsewhere": _redirect("http://localhost:{port}/echo"),
}
