"""What every request passes before and after its route: an id, a limit on its size, headers, a measurement (ASGI)."""

from __future__ import annotations

import time
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.server import codes
from atomctl.server.acting import carries_a_valid_token
from atomctl.server.problems import failure, problem
from atomctl.telemetry import catalog, metrics

_log = structlog.get_logger(__name__)

MIB: Final = 1024 * 1024
SMALL, LARGE = 1 * MIB, 96 * MIB
_LARGE_PATHS = frozenset(
    {"/api/v1/packages", "/api/v1/validate", "/api/v1/knowledge/pages", "/api/v1/knowledge/end-sync"}
)

HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
"""An API shows nothing in a browser and is cached nowhere."""


class Shell:
    """Wraps the application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; 413 (API013) as soon as its body is larger than its path allows."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(new_id())
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *HEADERS, (b"x-request-id", request_id.encode())]
            await send(message)

        with bound_contextvars(request=request_id):
            try:
                await self._limited(scope, receive, answering)
            finally:
                _measure(scope, status, time.perf_counter() - started)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = _limit(scope)
        seen, answered = 0, False

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise _TooLargeError
            return message

        async def answering(message: Message) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            if _announced(scope) > limit:
                raise _TooLargeError
            await self._app(scope, bounded, answering)
        except _TooLargeError:
            answer = problem(AtomError(codes.TOO_LARGE, f"more than {limit} bytes"))
            answer.headers["connection"] = "close"
        except Exception as error:  # noqa: BLE001  # whatever broke, the client gets an answer and no details
            _log.error("request.failed", method=scope["method"], path=scope["path"], exc_info=error)
            answer = failure(scope["state"]["request_id"])
        else:
            return
        if answered:
            raise ConnectionAbortedError  # half an answer is out; the connection must not look as if it were whole
        await answer(scope, receive, send)


class _TooLargeError(BaseException):
    """The body is larger than allowed; no `Exception`, so that no handler in between answers instead."""


def _limit(scope: Scope) -> int:
    """How many bytes of body are read: it is read before its sender is known, so a large one needs a token first."""
    if scope["path"] not in _LARGE_PATHS:
        return SMALL
    given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    return LARGE if carries_a_valid_token(scope["app"].state.services, given) else SMALL


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


def _measure(scope: Scope, status: int, seconds: float) -> None:
    parts = scope["path"].removeprefix("/api/v1").strip("/").split("/")
    noun = {"livez": "health", "readyz": "health"}.get(parts[0], parts[0])
    metrics.increment(catalog.HTTP_REQUESTS, method=scope["method"], noun=noun, status=f"{status // 100}xx")
    metrics.observe(catalog.HTTP_SECONDS, seconds, noun=noun)
