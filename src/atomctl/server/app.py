"""The application: every route under its path, refusals as problems, the shell around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio.to_thread import current_default_thread_limiter
from fastapi import APIRouter, FastAPI

import atomctl
from atomctl.knowledge.opening import open_meaning
from atomctl.server.problems import add_problem_handlers
from atomctl.server.routes import (
    approvals,
    audit,
    auth,
    explanation,
    health,
    knowledge,
    logs,
    packages,
    runs,
    signals,
    stats,
    tenants,
    trust,
    validate,
    workflows,
)
from atomctl.server.shell import Shell
from atomctl.server.waiting import WAITERS
from atomctl.wiring import Services

API = "/api/v1"
_WORKING = 40
"""Threads beside those that may wait in long polls."""


def create_app(services: Services) -> FastAPI:
    """The API on top of `services`, which the caller closes."""
    app = build_app()
    app.state.services = services
    app.state.meaning = open_meaning(services.settings)
    return app


def build_app() -> FastAPI:
    """The API without anything below it: enough to describe itself."""
    app = FastAPI(
        title="ATOM",
        version=atomctl.__version__,
        summary="Signed, decided, approved, durable and provable operational workflows",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        redirect_slashes=False,
    )
    app.include_router(health.router)
    api = APIRouter(prefix=API)
    for noun in (
        auth,
        tenants,
        workflows,
        packages,
        validate,
        runs,
        explanation,
        logs,
        approvals,
        trust,
        audit,
        signals,
        stats,
        knowledge,
    ):
        api.include_router(noun.router)
    app.include_router(api)
    add_problem_handlers(app)
    app.add_middleware(Shell)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001  # the framework's signature
    current_default_thread_limiter().total_tokens = _WORKING + WAITERS
    yield
