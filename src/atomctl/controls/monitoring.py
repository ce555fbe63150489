"""What Prometheus and Alertmanager say about the shipped alerts, and what Alertmanager reports to the check itself."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from atomctl.controls.codes import UNEXPECTED_ANSWER
from atomctl.controls.notebook import Notebook
from atomctl.controls.site import Site
from atomctl.errors import AtomError
from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.alerts.model import Alert

_SECONDS = 10.0
_POLL = 0.3
_BODY_LIMIT = 4 << 20
PATIENCE = 30.0
"""Seconds until an alert has fired and was reported, or has ended, beside Prometheus' own pace."""
_ROUNDS, _LONGEST = 4, 150.0
"""Evaluations that this takes: one to see the figure, one to fire, the sending, and one to spare."""
_T = TypeVar("_T")
Found = dict[str, Any]


def shipped(name: str) -> Alert:
    """The alert of that name.

    Raises:
        AtomError: CTL902 the program ships none.
    """
    for alert in ALERTS:
        if alert.name == name:
            return alert
    raise AtomError(UNEXPECTED_ANSWER, f"there is no alert {name}")


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The servers that watch the deployment, and the check's own receiver."""

    site: Site
    book: Notebook
    receipts: Receipts

    def query(self, expression: str) -> list[Found]:
        """The samples of an instant vector.

        Raises:
            AtomError: CTL902 it is no vector.
            httpx.HTTPError: Prometheus does not answer.
        """
        found = self._ask(self._prometheus, "api/v1/query", query=expression)
        return list(found["data"]["result"])

    def loaded(self) -> dict[str, Found]:
        """The alert rules that Prometheus has loaded, by name.

        Raises:
            httpx.HTTPError: Prometheus does not answer.
        """
        groups = self._ask(self._prometheus, "api/v1/rules", type="alert")["data"]["groups"]
        return {rule["name"]: rule for group in groups for rule in group["rules"]}

    def firing(self) -> list[Found]:
        """The alerts that fire in Alertmanager, those of this program alone.

        Raises:
            httpx.HTTPError: Alertmanager does not answer.
        """
        names = {alert.name for alert in ALERTS}
        alerts = self._ask(self._alertmanager, "api/v2/alerts", active="true")
        return [alert for alert in alerts if alert["labels"].get("alertname") in names]

    @property
    def patience(self) -> float:
        """Seconds to wait for an alert: the rules are evaluated as often as Prometheus was told to."""
        rules = self._ask(self._prometheus, "api/v1/rules", type="alert")["data"]["groups"]
        return min(PATIENCE + _ROUNDS * max((float(group["interval"]) for group in rules), default=0.0), _LONGEST)

    def quiet(self, names: set[str]) -> None:
        """Returns once none of these alerts fires.

        Raises:
            TimeoutError: one still does.
        """

        def none() -> bool:
            return not names & {alert["labels"]["alertname"] for alert in self.firing()}

        until(none, f"{names} still fire", self.patience)

    def evaluated(self) -> None:
        """Returns once Prometheus has scraped and evaluated every rule again, twice.

        Raises:
            TimeoutError: it does not.
        """
        for _ in range(2):
            until(partial(self._evaluated_after, datetime.now(UTC)), "Prometheus evaluates no rules", self.patience)

    def _evaluated_after(self, begun: datetime) -> bool:
        rules = self.loaded().values()
        return bool(rules) and all(_moment(rule["lastEvaluation"]) > begun for rule in rules)

    def reported(
        self, name: str, since: datetime, *, meanwhile: Callable[[], object] = lambda: None, **labels: str
    ) -> str:
        """`firing, reported` once an alert that began after `since` fires in Alertmanager and was reported here.

        Args:
            name: of the alert.
            since: when what it is about began.
            meanwhile: goes on with it before each look, for an alert about how often something happens.
            labels: which the alert must carry.

        Raises:
            TimeoutError: it has not.
        """

        def is_it(alert: Found) -> bool:
            said = alert["labels"]
            wanted = {"alertname": name, "probe": "true", **labels}
            return all(said.get(key) == value for key, value in wanted.items()) and _moment(alert["startsAt"]) > since

        def fires() -> bool:
            meanwhile()
            return any(map(is_it, self.firing()))

        until(fires, f"{name} does not fire in Alertmanager", self.patience)
        self.receipts.wait(is_it, name, self.patience)
        return "firing, reported"

    @property
    def _prometheus(self) -> str:
        return str(self.site.settings.prometheus_url)

    @property
    def _alertmanager(self) -> str:
        return str(self.site.settings.alertmanager_url)

    def _ask(self, server: str, path: str, **params: str) -> Any:
        answer = httpx.get(f"{server.rstrip('/')}/{path}", params=params, timeout=_SECONDS, trust_env=False)
        self.book.note(server, "HTTP API", str(answer.request.url).encode(), answer.content)
        answer.raise_for_status()
        return answer.json()


class Receipts:
    """What Alertmanager has reported to the check."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._alerts: list[Found] = []

    def add(self, body: bytes) -> None:
        """Keeps the alerts of a notification (format: Alertmanager's `webhook_config`).

        Raises:
            ValueError, KeyError, TypeError: it is none.
        """
        alerts = [dict(alert) for alert in json.loads(body)["alerts"]]
        with self._arrived:
            self._alerts += alerts
            self._arrived.notify_all()

    def wait(self, wanted: Callable[[Found], bool], name: str, seconds: float) -> None:
        """Returns once an alert that is wanted was reported.

        Raises:
            TimeoutError: none was.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: any(map(wanted, self._alerts)), seconds):
                raise TimeoutError(f"Alertmanager reported {len(self._alerts)} alerts, and {name} is not among them")


@contextmanager
def watched(site: Site, book: Notebook) -> Iterator[Monitoring]:
    """The monitoring of the deployment, while the check listens for what Alertmanager reports.

    Raises:
        OSError: the receiver's address cannot be listened on.
    """
    receipts = Receipts()
    with listening(site, receipts):
        yield Monitoring(site, book, receipts)


@contextmanager
def listening(site: Site, receipts: Receipts) -> Iterator[None]:
    """The receiver answers until the block ends.

    Raises:
        OSError: the address cannot be listened on.
    """
    place = urlsplit(f"//{site.settings.controls_receiver}")
    server = ThreadingHTTPServer((place.hostname or "", place.port or 0), _handler(receipts))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="atom-receiver", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(receipts: Receipts) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _SECONDS

        def do_POST(self) -> None:
            """Keeps a notification; anything else is refused."""
            length = self.headers.get("Content-Length", "")
            try:
                if not length.isdecimal() or int(length) > _BODY_LIMIT:
                    raise ValueError
                receipts.add(self.rfile.read(int(length)))
            except (ValueError, KeyError, TypeError):
                self.send_error(400)
                return
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
            """Says nothing."""

    return Handler


def until(look: Callable[[], _T], otherwise: str, seconds: float = PATIENCE) -> _T:
    """What `look` finds, as soon as it is something.

    Raises:
        TimeoutError: it found nothing within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{otherwise} after {seconds:g} s")
        time.sleep(_POLL)
    return found


def age_expression(alert: Alert, seconds: float) -> str:
    """The alert's expression with the age shortened to `seconds`, every other window with it.

    Raises:
        ValueError: the alert has no age, or one that is shorter.
    """
    if alert.age is None:
        raise ValueError(f"{alert.name} compares no ages")
    return alert.expression(timedelta(seconds=seconds) / alert.age)


def _moment(text: str) -> datetime:
    """A time as Go writes it: RFC 3339 with up to nine digits behind the second, of which six are kept."""
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
