"""The API server on a free loopback port, in a thread of the test's process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from atomctl.server.app import create_app
from atomctl.wiring import Services


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answering = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answering.set()


@contextmanager
def api_server(services: Services) -> Iterator[str]:
    """The address of a server on top of `services`; it is stopped afterwards, the services stay open."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(create_app(services), log_config=None, server_header=False, timeout_graceful_shutdown=1)
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="test api")
    thread.start()
    try:
        assert server.answering.wait(20), "the server did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
