"""`/livez`, `/readyz`, `/metrics`: for probes and Prometheus, without a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from atomctl.db import queries
from atomctl.db.migrate import status
from atomctl.errors import AtomError
from atomctl.server import changing
from atomctl.server.acting import services_of
from atomctl.telemetry import metrics
from atomctl.wiring import Services

router = APIRouter(tags=["health"])

_sql: Any = queries.load(changing.__file__)


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Check(BaseModel):
    """One thing the server needs."""

    name: str
    ok: bool
    detail: str


class Readiness(BaseModel):
    """Whether the server can serve, and what keeps it from it."""

    status: Literal["ready", "not-ready"]
    checks: list[Check]


@router.get("/livez")
def live() -> Alive:
    """Whether the process answers; the database is never touched."""
    return Alive()


@router.get("/readyz", responses={503: {"model": Readiness}})
def ready(response: Response, services: Annotated[Services, Depends(services_of)], worker: bool = False) -> Readiness:
    """Whether the server can serve; with `worker`, whether a worker is alive too."""
    checks = [
        _check("database", lambda: _answers(services)),
        _check("migrations", lambda: status(services.address).require_served()),
        _check("objects", lambda: _readable(services)),
    ]
    if worker:
        checks.append(_check("worker", lambda: _worker_alive(services)))
    ok = all(check.ok for check in checks)
    response.status_code = 200 if ok else 503
    return Readiness(status="ready" if ok else "not-ready", checks=checks)


@router.get("/metrics", response_class=Response)
def show_metrics() -> Response:
    """All metrics of this process, as OpenMetrics text."""
    return Response(metrics.render(), media_type=metrics.CONTENT_TYPE)


def _check(name: str, look: Callable[[], object]) -> Check:
    try:
        return Check(name=name, ok=look() is not False, detail="")
    except AtomError as error:
        # The why could name hosts and files, and nobody has logged in here.
        return Check(name=name, ok=False, detail=f"{error.code.id}: {error.code.title}")


def _answers(services: Services) -> None:
    with services.sessions.deployment() as conn:
        _sql.answers(conn)


def _readable(services: Services) -> None:
    services.objects.exists("packages/00/0")


def _worker_alive(services: Services) -> bool:
    with services.sessions.deployment() as conn:
        return bool(_sql.live_workers(conn))
