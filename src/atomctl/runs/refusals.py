"""Requests for runs that were refused: each leaves an entry about its package, though nothing of the run is kept."""

from __future__ import annotations

from atomctl.access.model import Actor
from atomctl.audit.model import Entry, Result
from atomctl.audit.record import record
from atomctl.canonical import Digest
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.registry.model import Coordinates


class RunRefusedError(AtomError):
    """A refused request, with the package it was about; the code is the reason's own."""

    def __init__(self, reason: AtomError, coordinates: Coordinates, digest: Digest, *, dry_run: bool) -> None:
        super().__init__(reason.code, reason.why, hint=reason.hint)
        self.coordinates = coordinates
        self.digest = digest
        self.dry_run = dry_run


def record_refused_run(sessions: Sessions, actor: Actor, refusal: RunRefusedError) -> None:
    """Commits the audit entry of a refused request; the request itself was rolled back."""
    entry = Entry(
        action="run.request",
        subject=f"package/{refusal.coordinates}",
        result=Result.REFUSED,
        actor=actor.principal_id,
        digests={"package": refusal.digest},
        code=refusal.code.id,
        why=refusal.why[:1000],
        detail={"dry_run": refusal.dry_run},
    )
    with sessions.tenant(actor.tenant_id) as conn:
        record(conn, actor.tenant_id, entry)
