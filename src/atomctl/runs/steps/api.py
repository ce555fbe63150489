"""Api steps: one HTTP request to a checked address, made by the worker itself."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError, Code
from atomctl.runs.addresses import Resolver, resolve
from atomctl.runs.masking import Masker
from atomctl.runs.steps import codes, outputs
from atomctl.runs.steps.http_exchange import Exchange, GivenUpError, HttpResponse
from atomctl.runs.steps.http_request import HttpRequest, parse
from atomctl.runs.steps.log_capture import LogCapture
from atomctl.runs.steps.model import IsolationLevel, LogSink, Outcome, StepRequest, StepResult
from atomctl.runs.steps.site import Site
from atomctl.wpk.expressions import Condition

_TRIES: Final = 3
_PAUSE_SECONDS: Final = 0.5
_SHOWN_BYTES: Final = 2048
_REFUSALS: Final = frozenset({codes.BAD_CONFIG, codes.FORBIDDEN_ADDRESS, codes.PLAIN_HTTP})
"""What is refused before anything is sent; met after a redirect it is a failure, because something was."""


def execute(
    request: StepRequest,
    site: Site,
    sink: LogSink,
    cancelled: threading.Event,
    masker: Masker,
    *,
    resolver: Resolver = resolve,
    tls: ssl.SSLContext | None = None,
) -> StepResult:
    """Makes the request and judges the response. Returns within the step's timeout, at once when `cancelled` is set.

    Tried up to three times where no proper answer came and repeating does no harm (by its method, or because the
    author set an Idempotency-Key). The outputs are `status` and `body`: parsed JSON, or text.
    """
    capture = LogCapture(sink, masker, request.limits.log_bytes)
    call = _Call(request, site, capture, resolver, tls or ssl.create_default_context())
    begun = datetime.now(UTC)
    status: int | None = None
    outcome, code, error, written = Outcome.SUCCEEDED, None, None, dict[str, Json]()
    try:
        http = parse(request.config).with_key(request.idempotency_key)
        response = call.answer(http, cancelled)
        status = response.status
        written = call.judge(http, response)
    except GivenUpError:
        outcome, code, error = _given_up(cancelled)
    except AtomError as refusal:
        outcome = Outcome.REFUSED if refusal.code in _REFUSALS and not call.connected else Outcome.FAILED
        code, error = refusal.code, refusal.why
    capture.close()
    masked = masker.json(written)
    assert isinstance(masked, dict)
    return StepResult(
        outcome=outcome,
        started=begun,
        ended=datetime.now(UTC),
        isolation=IsolationLevel.NOT_NEEDED,
        exit_code=status,
        outputs=masked,
        error=None if error is None else masker.text(error),
        code=code,
        log_bytes_dropped=capture.dropped,
    )


def _given_up(cancelled: threading.Event) -> tuple[Outcome, Code, str]:
    if cancelled.is_set():
        return Outcome.CANCELLED, codes.CANCELLED, "it was cancelled; the server may have acted on the request"
    return Outcome.TIMED_OUT, codes.TIMED_OUT, "no complete response within the timeout"


class _Call:
    """One api step in progress."""

    def __init__(
        self, request: StepRequest, site: Site, capture: LogCapture, resolver: Resolver, tls: ssl.SSLContext
    ) -> None:
        self._request = request
        self._capture = capture
        self._deadline = time.monotonic() + request.timeout.total_seconds()
        self._new_exchange: Callable[[], Exchange] = lambda: Exchange(site.guard, resolver, tls)
        self.connected = False
        """Whether any try came as far as a connection."""

    def answer(self, http: HttpRequest, cancelled: threading.Event) -> HttpResponse:
        """The response, after as many tries as are harmless."""
        tries = _TRIES if http.repeatable else 1
        for number in range(1, tries + 1):
            begun = time.monotonic()
            exchange = self._new_exchange()
            try:
                response = exchange.run(http, deadline=self._deadline, cancelled=cancelled)
            except AtomError as error:
                self.connected = self.connected or exchange.connected
                self._log(f"{http.method} {http.url}: {error}")
                if not error.code.retryable or number == tries or cancelled.wait(_PAUSE_SECONDS * number):
                    raise
            else:
                took = (time.monotonic() - begun) * 1000
                what = f"{response.status}, {len(response.body)} bytes in {took:.0f} ms from {response.address}"
                self._log(f"{http.method} {response.url}: {what}")
                return response
        raise AssertionError("unreachable: the last try returns or raises")

    def judge(self, http: HttpRequest, response: HttpResponse) -> dict[str, Json]:
        """The outputs, if the response means success.

        Raises:
            AtomError: RUN674 it does not.
        """
        body = _body(response.body)
        if response.status not in http.statuses:
            self._show(response)
            raise AtomError(codes.UNEXPECTED_RESPONSE, f"status {response.status} does not mean success")
        if http.when is not None and not self._holds(http.when, response, body):
            self._show(response)
            raise AtomError(codes.UNEXPECTED_RESPONSE, "success.when is false for this response")
        return self._outputs(response.status, body)

    def _holds(self, when: str, response: HttpResponse, body: Json) -> bool:
        headers: dict[str, Json] = dict(response.headers)
        seen: Json = {"status": response.status, "headers": headers, "body": body}
        try:
            return Condition.compile(when).evaluate({**self._request.context, "response": seen})
        except AtomError as error:
            raise AtomError(codes.UNEXPECTED_RESPONSE, f"success.when: {error.why}") from error

    def _outputs(self, status: int, body: Json) -> dict[str, Json]:
        whole: dict[str, Json] = {"status": status, "body": body}
        if len(json.dumps(whole)) <= outputs.BYTES:
            return whole
        self._log(f"the body is longer than the {outputs.BYTES} bytes that outputs may have: it is not among them")
        return {"status": status}

    def _show(self, response: HttpResponse) -> None:
        self._log(f"the response began: {response.body[:_SHOWN_BYTES].decode(errors='replace')}")

    def _log(self, line: str) -> None:
        self._capture.write("stderr", f"{line}\n".encode(errors="replace"))


def _body(data: bytes) -> Json:
    """JSON where it is JSON, else text; None where there is nothing."""
    if not data:
        return None
    try:
        parsed: Json = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return data.decode(errors="replace")
    return parsed


def _refuse_constant(text: str) -> Json:
    raise ValueError(f"{text} is not JSON")
