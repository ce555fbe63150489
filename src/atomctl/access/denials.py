"""Refusals leave a trace: an audit entry in a transaction of its own, since the refused one is rolled back."""

from __future__ import annotations

from atomctl.access.model import Actor
from atomctl.audit.model import Entry, Result
from atomctl.audit.record import record
from atomctl.db.session import Sessions
from atomctl.errors import AtomError


def record_denial(sessions: Sessions, actor: Actor, *, action: str, subject: str, error: AtomError) -> None:
    """Commits an audit entry that `actor` tried `action` on `subject` and was refused with `error`."""
    entry = Entry(
        action=action,
        subject=subject,
        result=Result.REFUSED,
        actor=actor.principal_id,
        code=error.code.id,
        why=error.why[:1000],
        detail={"roles": [role.value for role in sorted(actor.roles)]},
    )
    with sessions.tenant(actor.tenant_id) as conn:
        record(conn, actor.tenant_id, entry)
