"""Asking Prometheus about now or a span of time: bounded in time and size, every way it can go wrong told apart.

The expression is a parameter of a form and never part of an address. Redirects are not followed, proxies of the
environment are not asked, and no credentials are sent. Format: Prometheus' HTTP API,
"Instant queries" and "Range queries".
"""

from __future__ import annotations

import contextlib
import json
import math
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from atomctl.errors import AtomError, Code
from atomctl.insight import codes
from atomctl.insight.matrix import Line, Span, lines

LONGEST_EXPRESSION = 2_000
"""Characters."""

LARGEST_ANSWER = 1024 * 1024
"""Bytes."""

_LIMIT_OF_SERIES = "10000"
_STATUSES: dict[int, Code] = {401: codes.DENIED, 403: codes.DENIED, 504: codes.SLOW}
_REFUSALS = frozenset({400, 422})


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for a connection, for silence in the middle of an answer, and for the whole exchange."""

    connect: float = 3.0
    silence: float = 5.0
    whole: float = 10.0


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus at its base address, such as `http://prometheus.example:9090`."""

    url: str
    patience: Patience = Patience()

    def instant(self, expression: str) -> tuple[float, ...]:
        """The values of an instant vector, or the one of a number; without NaN, which compares with nothing.

        Raises:
            AtomError: INS802 and INS813 before anything is sent; INS803 to INS812 as the answer is.
        """
        return _numbers(self._ask("query", expression, {}))

    def range(self, expression: str, span: Span) -> tuple[Line, ...]:
        """The series on each point of the span that they have a value for; none of them if there are no series.

        Raises:
            AtomError: INS802 and INS813 before anything is sent; INS803 to INS812 and INS831 as the answer is.
        """
        start, end = span.first * span.step, span.last * span.step
        return lines(self._ask("query_range", expression, {"start": start, "end": end, "step": span.step}), span)

    def _ask(self, question: str, expression: str, further: Mapping[str, int]) -> Any:
        require_askable(expression)
        address = _address(self.url)
        seconds = f"{self.patience.whole:g}s"
        form = urlencode({"query": expression, "timeout": seconds, "limit": _LIMIT_OF_SERIES, **further})
        with _exchange(address, self.patience) as connection:
            connection.request("POST", f"{address.path.rstrip('/')}/api/v1/{question}", form, _HEADERS)
            answer = connection.getresponse()
            body = answer.read(LARGEST_ANSWER + 1)
        return _data(answer.status, body)


_HEADERS = {
    "content-type": "application/x-www-form-urlencoded",
    "accept": "application/json",
    "accept-encoding": "identity",
    "connection": "close",
}


def require_askable(expression: str) -> None:
    """Returns if it may be sent; whether it is PromQL is for Prometheus to say.

    Raises:
        AtomError: INS802 it is empty, too long, or holds control characters.
    """
    if not expression.strip():
        raise AtomError(codes.BAD_EXPRESSION, "it is empty")
    if len(expression) > LONGEST_EXPRESSION:
        raise AtomError(codes.BAD_EXPRESSION, f"{len(expression)} characters, at most {LONGEST_EXPRESSION} are sent")
    if not expression.replace("\n", " ").replace("\t", " ").isprintable():
        raise AtomError(codes.BAD_EXPRESSION, "it holds characters that cannot be printed")


def _address(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError as error:
        raise AtomError(codes.BAD_ADDRESS, str(error)) from error
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise AtomError(codes.BAD_ADDRESS, f"scheme {parts.scheme!r}, host {parts.hostname!r}")
    return parts


@contextmanager
def _exchange(address: SplitResult, patience: Patience) -> Iterator[HTTPConnection]:
    """A connection that is cut when the whole time is over: a server that sends a byte a second is slow, too."""
    host = address.hostname or ""
    connection = (
        HTTPSConnection(host, address.port, timeout=patience.connect)
        if address.scheme == "https"
        else HTTPConnection(host, address.port, timeout=patience.connect)
    )
    late = threading.Event()

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(patience.whole, cut)
    timer.daemon = True
    try:
        connection.connect()
        connection.sock.settimeout(patience.silence)
        timer.start()
        yield connection
    except TimeoutError as error:
        raise AtomError(codes.SLOW, f"{address.netloc} said nothing in time") from error
    except ssl.SSLError as error:
        raise AtomError(codes.UNREACHABLE, f"{address.netloc}: {error.reason or error}") from error
    except (OSError, HTTPException, ValueError) as error:
        if late.is_set():
            raise AtomError(codes.SLOW, f"no whole answer from {address.netloc} in {patience.whole:g} s") from error
        code = codes.UNREACHABLE if isinstance(error, OSError) or connection.sock is None else codes.NOT_PROMETHEUS
        raise AtomError(code, f"{address.netloc}: {type(error).__name__}") from error
    finally:
        timer.cancel()
        connection.close()
    if late.is_set():
        raise AtomError(codes.SLOW, f"no whole answer from {address.netloc} in {patience.whole:g} s")


def _data(status: int, body: bytes) -> Any:
    """What an answer holds beside its status.

    Raises:
        AtomError: INS803, INS805 to INS809, INS812.
    """
    if 300 <= status < 400:
        raise AtomError(codes.REDIRECTED, f"status {status}")
    if status in _STATUSES:
        raise AtomError(_STATUSES[status], f"status {status}")
    if len(body) > LARGEST_ANSWER:
        raise AtomError(codes.TOO_LARGE, f"more than {LARGEST_ANSWER} bytes")
    document = _document(status, body)
    if status in _REFUSALS:
        raise AtomError(codes.REFUSED_EXPRESSION, _words(document))
    if status >= 500:
        timed_out = document.get("errorType") in {"timeout", "canceled"}
        raise AtomError(codes.SLOW if timed_out else codes.BROKEN, f"status {status}: {_words(document)}")
    if status != 200 or document.get("status") != "success":
        raise AtomError(codes.NOT_PROMETHEUS, f"status {status}")
    return document.get("data")


def _document(status: int, body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        if status >= 500:
            raise AtomError(codes.BROKEN, f"status {status}, and no JSON") from error
        raise AtomError(codes.NOT_PROMETHEUS, f"status {status}, and no JSON") from error
    if not isinstance(document, dict):
        raise AtomError(codes.NOT_PROMETHEUS, f"status {status}, and no JSON object")
    return document


def _numbers(data: Any) -> tuple[float, ...]:
    try:
        kind, result = data["resultType"], data["result"]
        if kind == "scalar":
            samples = [result]
        elif kind == "vector":
            samples = [sample["value"] for sample in result]
        else:
            raise AtomError(codes.NO_NUMBER, f"it gives a {str(kind)[:20]}")
        values = [float(text) for _, text in samples]
    except (KeyError, TypeError, ValueError) as error:
        raise AtomError(codes.NOT_PROMETHEUS, "the answer has another form than Prometheus' API") from error
    if not values:
        raise AtomError(codes.NO_DATA, "an empty vector")
    numbers = tuple(value for value in values if not math.isnan(value))
    if not numbers:
        raise AtomError(codes.NO_NUMBER, f"{len(values)} values, and none of them is a number")
    return numbers


def _words(document: dict[str, Any]) -> str:
    """What Prometheus says is wrong, on one line and short: it may repeat what it was sent."""
    text = " ".join(str(document.get("error", "it gives no reason")).split())
    return "".join(character for character in text if character.isprintable())[:300]
