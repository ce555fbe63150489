"""Ids that do not exist for the caller: whether one is another tenant's is counted, and told to nobody.

The answer is the same either way and is sent before; the database counts behind a function that returns nothing, so
neither the caller nor this process learns which ids there are.
"""

from __future__ import annotations

import re
import time
from typing import Any, Final
from uuid import UUID

import structlog

from atomctl.access.model import Actor
from atomctl.db import queries
from atomctl.db.session import Sessions
from atomctl.server.budget import Budget

LOOKED_UP: Final = 600
"""Ids a minute and process; more are not looked up, and an alert has fired long before."""

_ID = re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b")
_budget = Budget(LOOKED_UP)
_log = structlog.get_logger(__name__)
_sql: Any = queries.load(__file__)


def note_unknown_ids(sessions: Sessions, actor: Actor, named: str) -> None:
    """Counts the ids in `named` against the actor, if they are another tenant's.

    It is called once the answer is sent: how long it takes would tell what the answer does not.
    """
    try:
        for identifier in ids_in(named):
            if _budget.take(time.monotonic()):
                with sessions.deployment() as conn:
                    _sql.note_unknown_id(conn, tenant=actor.tenant_id, principal=actor.principal_id, id=identifier)
    except Exception as failure:  # noqa: BLE001 - the answer is sent; what was not counted is logged
        _log.error("unknown_id.not_counted", why=str(failure))


def ids_in(text: str) -> list[UUID]:
    """The UUIDs in a path or a refusal, each once, at most four: no request names more."""
    return list(dict.fromkeys(map(UUID, _ID.findall(text))))[:4]
