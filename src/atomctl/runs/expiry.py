"""Ending approvals whose time is over, and what follows from it, tenant by tenant."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from atomctl.approvals import service as approvals
from atomctl.approvals.model import Approval
from atomctl.db import queries
from atomctl.db.session import Connection, Sessions
from atomctl.telemetry import catalog, metrics

_sql: Any = queries.load(__file__)


def expire_approvals(sessions: Sessions, follow: Callable[[Connection, Approval], None]) -> int:
    """Expires every overdue approval and calls `follow` with it in the same transaction; how many.

    Two workers may do it at once: the second finds nothing left.
    """
    with sessions.deployment() as conn:
        tenants = [row["tenant_id"] for row in _sql.due_tenants(conn)]
    expired = 0
    for tenant_id in tenants:
        with sessions.tenant(tenant_id) as conn:
            for approval in approvals.expire_due(conn, tenant_id, datetime.now(UTC)):
                follow(conn, approval)
                metrics.increment(catalog.APPROVALS, kind=approval.subject_kind.value, outcome="expired")
                expired += 1
    return expired
