"""Asking Prometheus about now or a span of time: bounded in time and size, every way it can go wrong told apart.

The expression is a parameter of a form and never part of an address. Redirects are not followed, proxies of the
environment are not asked, and no credentials are sent. Format: Prometheus' HTTP API,
"Instant queries" and "Range queries".
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlencode

from atomctl import exchange
from atomctl.errors import AtomError, Code
from atomctl.exchange import Answer, ExchangeError, Patience, Trouble
from atomctl.insight import codes
from atomctl.insight.matrix import Line, Span, lines

LONGEST_EXPRESSION = 2_000
"""Characters."""

LARGEST_ANSWER = 1024 * 1024
"""Bytes."""

_LIMIT_OF_SERIES = "10000"
_STATUSES: dict[int, Code] = {401: codes.DENIED, 403: codes.DENIED, 504: codes.SLOW}
_TROUBLES: dict[Trouble, Code] = {
    Trouble.UNREACHABLE: codes.UNREACHABLE,
    Trouble.SLOW: codes.SLOW,
    Trouble.NOT_HTTP: codes.NOT_PROMETHEUS,
}
_REFUSALS = frozenset({400, 422})


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
        try:
            answer = exchange.post(
                address,
                f"/api/v1/{question}",
                form.encode(),
                _HEADERS,
                patience=self.patience,
                largest=LARGEST_ANSWER,
            )
        except ExchangeError as error:
            raise AtomError(_TROUBLES[error.trouble], str(error)) from error
        return _data(answer)


_HEADERS = {
    "content-type": "application/x-www-form-urlencoded",
    "accept": "application/json",
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
        return exchange.address_of(url)
    except ValueError as error:
        raise AtomError(codes.BAD_ADDRESS, str(error)) from error


def _data(answer: Answer) -> Any:
    """What an answer holds beside its status.

    Raises:
        AtomError: INS803, INS805 to INS809, INS812.
    """
    status = answer.status
    if 300 <= status < 400:
        raise AtomError(codes.REDIRECTED, f"status {status}")
    if status in _STATUSES:
        raise AtomError(_STATUSES[status], f"status {status}")
    if not answer.whole:
        raise AtomError(codes.TOO_LARGE, f"more than {LARGEST_ANSWER} bytes")
    document = _document(status, answer.body)
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
