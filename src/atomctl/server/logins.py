"""Refused logins: counted, logged, and recorded in the deployment's own log, since no tenant is known to be meant.

Anybody can make them, so only `RECORDED` a minute are recorded; the counter and the process log have all of them.
"""

from __future__ import annotations

import threading
import time
from typing import Final

import structlog
from fastapi import Request

from atomctl.access import codes
from atomctl.audit.model import DEPLOYMENT, Entry, Result
from atomctl.audit.record import record
from atomctl.errors import AtomError, Code
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


class Budget:
    """So many a minute, and no more."""

    def __init__(self, each_minute: int) -> None:
        self._each_minute = each_minute
        self._lock = threading.Lock()
        self._minute, self._taken = 0, 0

    def take(self, now: float) -> bool:
        """Whether one more is within the budget of the minute that `now` (seconds) falls into."""
        minute = int(now // 60)
        with self._lock:
            if minute != self._minute:
                self._minute, self._taken = minute, 0
            self._taken += 1
            return self._taken <= self._each_minute


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
