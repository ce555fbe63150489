"""The one way out of a sandbox with declared hosts: a CONNECT proxy that opens no other connection.

RFC 9110 section 9.3.6. It listens on a socket that was made inside the sandbox's empty network and connects from
outside, to an address that was checked (`addresses`). It runs as the step's user, not the worker's.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401  # resolving a name imports it, which the step's user may not be able to
import os
import socket
import threading
from collections.abc import Callable, Iterable

from atomctl.errors import AtomError
from atomctl.runs import kernel, launch
from atomctl.runs.addresses import AddressGuard, Resolver, resolve, resolve_within, split_host_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from atomctl.runs.orders import Egress

_SIGKILL = 9
_HEAD_LIMIT = 8 * 1024
_SECONDS = 10.0
_CONNECTIONS = 64
_CHUNK = 64 * 1024
_HEAD_END = b"\r\n\r\n"


class RefusedError(Exception):
    """What the client is told instead of a connection: the status line's end and a sentence."""

    def __init__(self, status: str, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def start(channel: int, plan: Egress, user: int | None) -> int | None:
    """Forks the proxy for the listening socket that comes over `channel`, which is closed.

    Returns:
        Its process id; None if no socket came, because the step could not enter its network and says so itself.
    """
    with socket.socket(fileno=channel) as waiting:
        waiting.settimeout(_SECONDS)
        try:
            _, descriptors, _, _ = socket.recv_fds(waiting, 1, 1)
        except OSError:
            return None
    if not descriptors:
        return None
    child = os.fork()
    if child:
        os.close(descriptors[0])
        return child
    try:
        launch.drop(user)
        kernel.gain_no_privileges()
        kernel.die_with_parent(_SIGKILL)
        with socket.socket(fileno=descriptors[0]) as listener:
            Proxy(plan["hosts"], AddressGuard(plan["allow"]), resolve, _say).serve(listener)
    finally:
        os._exit(1)


def _say(line: str) -> None:
    os.write(2, f"atom: egress {line}\n".encode(errors="replace"))


class Proxy:
    """Connects to the declared hosts and says why it does not connect to others.

    Args:
        hosts: each `host:port`.
        guard: decides about what a declared host resolves to.
        resolver: turns a name into addresses.
        say: takes a line for the step's log about every refusal.
    """

    def __init__(
        self, hosts: Iterable[str], guard: AddressGuard, resolver: Resolver, say: Callable[[str], None]
    ) -> None:
        self._hosts = frozenset(split_host_port(entry) for entry in hosts)
        self._guard = guard
        self._resolver = resolver
        self._say = say
        self._free = threading.BoundedSemaphore(_CONNECTIONS)

    def serve(self, listener: socket.socket) -> None:
        """Accepts until the listener is closed; at most 64 connections at a time, others wait."""
        while True:
            self._free.acquire()
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve_one, args=(client,), daemon=True).start()

    def _serve_one(self, client: socket.socket) -> None:
        try:
            with client, contextlib.suppress(OSError):
                self._answer(client)
        finally:
            self._free.release()

    def _answer(self, client: socket.socket) -> None:
        client.settimeout(_SECONDS)
        try:
            target, rest = _read_target(client)
            upstream = self._connect(target)
        except RefusedError as refused:
            self._say(f"refused: {refused.why}")
            body = f"{refused.why}\n".encode()
            head = f"HTTP/1.1 {refused.status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            client.sendall(head.encode() + body)
            return
        with upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            upstream.sendall(rest)
            _join(client, upstream)

    def _connect(self, target: str) -> socket.socket:
        try:
            host, port = split_host_port(target)
        except ValueError as error:
            raise RefusedError("400 Bad Request", str(error)) from error
        if (host, port) not in self._hosts:
            raise RefusedError("403 Forbidden", f"{host}:{port} is not among the declared hosts of this step")
        try:
            address = self._guard.choose(host, port, resolve_within(self._resolver, host, port, _SECONDS))
            return socket.create_connection((address, port), timeout=_SECONDS)
        except AtomError as error:
            raise RefusedError("403 Forbidden", str(error)) from error
        except OSError as error:
            raise RefusedError("502 Bad Gateway", f"{host}:{port}: {error}") from error


def _read_target(client: socket.socket) -> tuple[str, bytes]:
    """The `host:port` of a CONNECT, and what the client sent after the request's head."""
    data = b""
    while _HEAD_END not in data:
        if len(data) > _HEAD_LIMIT:
            raise RefusedError("431 Request Header Fields Too Large", "the request's head is too long")
        chunk = client.recv(_CHUNK)
        if not chunk:
            raise RefusedError("400 Bad Request", "the request ends in its head")
        data += chunk
    head, _, rest = data.partition(_HEAD_END)
    words = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise RefusedError("400 Bad Request", "that is not HTTP/1")
    if words[0] != "CONNECT":
        raise RefusedError("405 Method Not Allowed", "only CONNECT; for plain http use curl --proxytunnel")
    return words[1], rest


def _join(client: socket.socket, upstream: socket.socket) -> None:
    """Carries bytes both ways until both sides have said all."""
    for side in (client, upstream):
        side.settimeout(None)  # how long the step lasts is the supervisor's business
    back = threading.Thread(target=_carry, args=(upstream, client), daemon=True)
    back.start()
    _carry(client, upstream)
    back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for side, how in ((target, socket.SHUT_WR), (source, socket.SHUT_RD)):
        with contextlib.suppress(OSError):
            side.shutdown(how)
