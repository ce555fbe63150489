"""A worker's own `/metrics` and `/livez`: a process without an API has to be seen, too."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from atomctl.telemetry import metrics
from atomctl.telemetry.targets import announced

_SILENCE_SECONDS = 5.0
"""How long a client may say nothing before its connection is closed."""


class Exposition:
    """Serves the metrics of this process.

    Args:
        listener: a listening TCP socket, which is closed at the end.
        page: renders the metrics.
        home: where Prometheus is told about the address.
        process: what kind of process this is.
    """

    def __init__(self, listener: socket.socket, page: Callable[[], bytes], home: Path, process: str) -> None:
        self._listener, self._page = listener, page
        self._home, self._process = home, process

    def run(self, stop: threading.Event) -> None:
        """Answers until `stop` is set; its file in `targets/` is there as long."""
        host, port = self._listener.getsockname()[:2]
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        server = _Server(self._listener, self._page)
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="atom-metrics", daemon=True)
        try:
            with announced(self._home, self._process, address):
                thread.start()
                stop.wait()
                server.shutdown()
                thread.join()
        finally:
            server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: socket.socket, page: Callable[[], bytes]) -> None:
        super().__init__(listener.getsockname()[:2], _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.page = page

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a client that hangs up in the middle is no event."""


class _Handler(BaseHTTPRequestHandler):
    timeout = _SILENCE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Answers `/metrics` and `/livez`; everything else is not there."""
        match self.path.partition("?")[0]:
            case "/metrics":
                self._answer(self.server.page(), metrics.CONTENT_TYPE)
            case "/livez":
                self._answer(b'{"status":"ok"}', "application/json")
            case _:
                self.send_error(404)

    def _answer(self, body: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """What the header `Server` says."""
        return "atomctl"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Says nothing: Prometheus asks again and again."""
