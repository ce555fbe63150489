"""A small web server to be operated on, as it runs in the pods of the tests: its health and its speed can be changed.

    GET  /healthz      200 while it is healthy, else 503
    POST /break        unhealthy from now on, until the process is started anew
    GET  /work?seconds=0.3   answers after so long, which is counted as its latency
    GET  /metrics      the latencies, for Prometheus

`BROKEN` in its environment makes it unhealthy whatever is done. With `CHECK_URL` it is healthy only as long as that
address accepts its `USERNAME` and `PASSWORD`.
"""

from __future__ import annotations

import base64
import os
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BOUNDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.0)
NAME = "http_request_duration_seconds"


class Latencies:
    """A histogram. Format: Prometheus' text exposition format, version 0.0.4."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = [0] * (len(BOUNDS) + 1)
        self._sum = 0.0

    def add(self, seconds: float) -> None:
        """One more request took so long."""
        with self._lock:
            self._counts[sum(seconds > bound for bound in BOUNDS)] += 1
            self._sum += seconds

    def text(self) -> str:
        """What Prometheus scrapes."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        lines = [f"# TYPE {NAME} histogram"]
        for index, bound in enumerate((*map(str, BOUNDS), "+Inf")):
            lines.append(f'{NAME}_bucket{{le="{bound}"}} {sum(counts[: index + 1])}')
        return "\n".join([*lines, f"{NAME}_sum {total}", f"{NAME}_count {sum(counts)}", ""])


LATENCIES = Latencies()
BROKEN = threading.Event()


def accepted() -> bool:
    """Whether the credential is good, if there is anybody to ask."""
    url = os.environ.get("CHECK_URL")
    if not url:
        return True
    login = base64.b64encode(f"{os.environ['USERNAME']}:{os.environ['PASSWORD']}".encode()).decode()
    request = urllib.request.Request(url, headers={"Authorization": f"Basic {login}"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError as error:
        print(f"{os.environ['USERNAME']}: {error}", flush=True)
        return False


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        match url.path:
            case "/healthz":
                healthy = not BROKEN.is_set() and accepted()
                self._answer(200 if healthy else 503, "healthy\n" if healthy else "broken\n")
            case "/work":
                seconds = float(parse_qs(url.query).get("seconds", ["0"])[0])
                time.sleep(seconds)
                LATENCIES.add(seconds)
                self._answer(200, "done\n")
            case "/metrics":
                self._answer(200, LATENCIES.text())
            case _:
                self._answer(404, "not here\n")

    def do_POST(self) -> None:
        if urlsplit(self.path).path != "/break":
            self._answer(404, "not here\n")
            return
        BROKEN.set()
        print("error: the connection pool is exhausted", flush=True)
        self._answer(200, "broken\n")

    def _answer(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: its log is for what matters."""


if __name__ == "__main__":
    if os.environ.get("BROKEN"):
        BROKEN.set()
    print("serving", flush=True)
    ThreadingHTTPServer(("", 8080), Handler).serve_forever()
