"""People who use the web server all the time: every Pod that is ready is asked again and again."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from tests.acceptance.starters.web import NAME, Web

from atomctl.files import replace_file

_AT_ONCE = 10
_PAUSE_SECONDS = 0.2


class Traffic:
    """Requests to `web` for as long as the block runs; Prometheus scrapes the Pods that are asked.

    Args:
        web: what is asked.
        targets: the file that tells Prometheus of the Pods.
        seconds: how long a request takes when so many Pods share the load.
    """

    def __init__(self, web: Web, targets: Path, seconds: Callable[[int], float]) -> None:
        self._web = web
        self._targets = targets
        self._seconds = seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="traffic")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        replace_file(self._targets, b"[]")

    def _go_on(self) -> None:
        with ThreadPoolExecutor(_AT_ONCE) as people:
            while not self._stop.wait(_PAUSE_SECONDS):
                addresses = self._web.addresses()
                labels = {"namespace": self._web.namespace, "app": NAME}
                groups = [{"targets": [f"{address}:8080" for address in addresses], "labels": labels}]
                replace_file(self._targets, json.dumps(groups).encode())
                list(people.map(self._ask, addresses, [self._seconds(len(addresses))] * len(addresses)))

    def _ask(self, address: str, seconds: float) -> None:
        """One request; a Pod that went away meanwhile does not answer."""
        try:
            httpx.get(f"http://{address}:8080/work", params={"seconds": seconds}, timeout=10, trust_env=False)
        except httpx.TransportError:
            return
