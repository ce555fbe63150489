"""Refusals as problem documents (RFC 9457) with the ATOM code. What failed inside is logged and never shown."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException

from atomctl.access import codes as access
from atomctl.access.denials import record_denial
from atomctl.access.model import Actor
from atomctl.canonical import Json
from atomctl.errors import AtomError, ExitCode
from atomctl.registry.model import PublishRefusedError
from atomctl.registry.publish import record_refusal
from atomctl.runs.refusals import RunRefusedError, record_refused_run
from atomctl.server import codes
from atomctl.server.foreign_ids import note_unknown_ids
from atomctl.server.logins import note_refused_login
from atomctl.telemetry import catalog, metrics

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = "2"
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_RECORDED_OF_READS = frozenset({ExitCode.AUTH, ExitCode.TAMPERED})
_log = structlog.get_logger(__name__)


def problem(error: AtomError, **more: Json) -> JSONResponse:
    """The answer that says `error`; `more` are members beside the standard ones.

    Whatever does not exist is answered with the same words, so that an id of another tenant looks like no id at all.
    """
    code = error.code
    document: dict[str, Json] = {
        "type": code.docs,
        "title": code.title,
        "status": code.status,
        "detail": code.title if code.status == 404 else error.why,
        "code": code.id,
        "meaning": code.meaning,
        "exit": int(code.exit),
        "hint": error.hint,
        "docs": code.docs,
        "retryable": code.retryable,
        **more,
    }
    headers = {}
    if code.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="atom"'
    if code.retryable:
        headers["Retry-After"] = _RETRY_SECONDS
    return JSONResponse(document, code.status, headers, MEDIA_TYPE)


def add_problem_handlers(app: FastAPI) -> None:
    """Makes every refusal of `app` a problem document; failures are answered by the shell."""
    app.add_exception_handler(AtomError, _on_refusal)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)


def _on_refusal(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, AtomError)
    if error.code.status == 401:
        note_refused_login(request, error)
    else:
        _leave_trace(request, error)
    verdict = error.verdict if isinstance(error, PublishRefusedError) else None
    answer = problem(error, **({"verdict": verdict.to_json()} if verdict else {}))
    actor: Actor | None = getattr(request.state, "actor", None)
    if actor is not None and error.code.status == 404:
        named = f"{request.scope['path']} {error.why}"
        answer.background = BackgroundTask(note_unknown_ids, request.app.state.services.sessions, actor, named)
    return answer


def _leave_trace(request: Request, error: AtomError) -> None:
    """Records a refused change in the tenant's audit log, and of reads what was forbidden or found tampered with.

    An outage refuses nothing: the same call may succeed later.
    """
    actor: Actor | None = getattr(request.state, "actor", None)
    if error.code == access.FORBIDDEN:
        metrics.increment(catalog.PERMISSION_REFUSALS)
    refused = request.method not in _READS or error.code.exit in _RECORDED_OF_READS
    if actor is None or not refused or error.code.retryable:
        return
    sessions = request.app.state.services.sessions
    try:
        if isinstance(error, PublishRefusedError):
            record_refusal(sessions, actor, error)
        elif isinstance(error, RunRefusedError):
            record_refused_run(sessions, actor, error)
        else:
            path = request.scope["path"][:500]
            record_denial(sessions, actor, action=f"api.{request.method.lower()}", subject=f"path/{path}", error=error)
    except AtomError as failure:
        _log.error("refusal.not_recorded", code=failure.code.id, refused=error.code.id)


def _on_invalid(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001  # the framework's signature
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(error.errors()) - 1} more)" if len(error.errors()) > 1 else ""
    return problem(AtomError(codes.INVALID, f"{where}: {first['msg']}{more}"))


def _on_http(request: Request, error: Exception) -> JSONResponse:  # noqa: ARG001  # the framework's signature
    assert isinstance(error, HTTPException)
    code = {404: codes.NOT_FOUND, 405: codes.METHOD}.get(error.status_code, codes.INVALID)
    return problem(AtomError(code, str(error.detail)))


def failure(request_id: str) -> JSONResponse:
    """The answer to a request in which something broke; what broke is for the log."""
    return problem(AtomError(codes.INTERNAL, f"request {request_id}"))
