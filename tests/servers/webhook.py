"""A receiver of Alertmanager's notifications that keeps them all."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Notification = dict[str, Any]
"""What Alertmanager posts: `status`, `alerts` and more. Format: Alertmanager's configuration page, `webhook_config`."""


class WebhookReceiver:
    """Answers every POST with 200 and keeps its JSON; anything else is refused with 400 and kept nowhere."""

    def __init__(self, journal: Path | None = None) -> None:
        self.notifications: list[Notification] = []
        self.journal = journal
        self._arrived = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="webhook")

    @property
    def url(self) -> str:
        """Where to post."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def wait_for(self, wanted: Callable[[dict[str, Any]], bool], seconds: float = 30.0) -> dict[str, Any]:
        """The first alert of any notification that is `wanted`, as soon as it is there.

        Raises:
            TimeoutError: none came within `seconds`.
        """
        with self._arrived:
            if self._arrived.wait_for(lambda: any(map(wanted, self.alerts)), seconds):
                return next(filter(wanted, self.alerts))
        raise TimeoutError(f"no such alert within {seconds:g} s; {len(self.notifications)} notifications came")

    @property
    def alerts(self) -> list[dict[str, Any]]:
        """All alerts of all notifications, oldest first: `status`, `labels`, `annotations` and more."""
        return [alert for notification in self.notifications for alert in notification["alerts"]]

    def _keep(self, notification: Notification) -> None:
        with self._arrived:
            self.notifications.append(notification)
            if self.journal is not None:
                with self.journal.open("a") as journal:
                    journal.write(json.dumps(notification) + "\n")
            self._arrived.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        keep = self._keep

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    notification = json.loads(body)
                    alerts = notification["alerts"]
                except (ValueError, KeyError, TypeError):
                    self.send_error(400)
                    return
                assert isinstance(alerts, list)
                keep(notification)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Says nothing: what came is kept."""

        return Handler
