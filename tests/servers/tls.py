"""TLS in front of a server that speaks plain HTTP, as an ingress or a mesh puts it there in a cluster."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024


class TlsFront:
    """Listens on a free port of `localhost` and carries what arrives to a port of this machine, and back.

    Args:
        context: the server's side, such as `make_certificate` makes it.
        target: the port of the plain server.
    """

    def __init__(self, context: ssl.SSLContext, target: int) -> None:
        self._context = context
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._accept, name="tls-front", daemon=True)

    @property
    def host(self) -> str:
        """`localhost:PORT`."""
        return f"localhost:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One connection. A client that does not like the certificate ends it, which is its good right."""
        with (
            client,
            contextlib.suppress(OSError),
            self._context.wrap_socket(client, server_side=True) as inside,
            socket.create_connection(("127.0.0.1", self._target), timeout=30) as outside,
        ):
            back = threading.Thread(target=_carry, args=(outside, inside), daemon=True)
            back.start()
            _carry(inside, outside)
            back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    for side in (source, target):
        with contextlib.suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
