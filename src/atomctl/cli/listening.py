"""The socket a server listens on, bound before anything else starts."""

from __future__ import annotations

import errno
import socket

from atomctl.cli import codes
from atomctl.errors import AtomError

_BACKLOG = 512


def listen(host: str, port: int) -> socket.socket:
    """A listening TCP socket that child processes may inherit; port 0 takes a free one.

    Raises:
        AtomError: CLI011 the port is taken, or the address is not one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise AtomError(codes.CANNOT_LISTEN, f"port {port} on {host} is in use by another process") from error
        raise AtomError(codes.CANNOT_LISTEN, f"{host}:{port}: {error.strerror}") from error
    listener.set_inheritable(True)
    return listener


def url(listener: socket.socket) -> str:
    """Where the socket is reached by a browser on this machine."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
