"""Refused logins: counted, logged, and recorded in the deployment's own log, since no tenant is known to be meant.

Anybody can make them, so only `RECORDED` a minute are recorded; the counter and the process log have all of them.
"""

from __future__ import annotations

import time
from typing import Final

import structlog
from fastapi import Request

from atomctl.access import codes
from atomctl.audit.model import DEPLOYMENT, Entry, Result
from atomctl.audit.record import record
from atomctl.errors import AtomError, Code
from atomctl.server.budget import Budget
from atomctl.telemetry import catalog, metrics

RECORDED: Final = 60
"""A minute and process."""

_REASONS: dict[Code, str] = {
    codes.NO_TOKEN: "missing",
    codes.MALFORMED_TOKEN: "malformed",
    codes.FORBIDDEN_HEADER: "malformed",
    codes.BAD_SIGNATURE: "signature",
    codes.EXPIRED: "expired",
    codes.BAD_CLAIM: "claims",
    codes.BAD_ROLES: "claims",
    codes.BAD_TENANT: "tenant",
}
_log = structlog.get_logger(__name__)


_budget = Budget(RECORDED)


def note_refused_login(request: Request, error: AtomError) -> None:
    """Leaves a trace of a request whose token was not believed. Nothing the token says is kept.

    A request without any token is counted and no more.
    """
    metrics.increment(catalog.LOGIN_REFUSALS, reason=_REASONS.get(error.code, catalog.OTHER))
    if error.code == codes.NO_TOKEN:
        return
    client = request.client.host if request.client else "unknown"
    _log.warning("login.refused", code=error.code.id, client=client)
    if not _budget.take(time.monotonic()):
        return
    entry = Entry(
        action="login.refuse",
        subject=f"path/{request.scope['path'][:500]}",
        result=Result.REFUSED,
        code=error.code.id,
        why=error.code.title,
        personal={"client": client},
    )
    try:
        with request.app.state.services.sessions.tenant(DEPLOYMENT) as conn:
            record(conn, DEPLOYMENT, entry)
    except AtomError as failure:
        _log.error("refusal.not_recorded", code=failure.code.id, refused=error.code.id)
