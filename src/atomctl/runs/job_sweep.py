"""Deleting the Jobs that nobody needs any more: their attempt has ended, or this installation never began it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from atomctl.db import queries
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.runs.model import AttemptState
from atomctl.telemetry.logs import get_logger

if TYPE_CHECKING:
    from atomctl.kubernetes.calls import Object
    from atomctl.runs.steps.jobs.place import JobPlace

_log = get_logger(__name__)
_sql = queries.load(__file__)

_QUESTION_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class SweptJob:
    """A Job of a step as the sweep sees it."""

    name: str
    tenant_id: UUID
    attempt_id: UUID


class JobSweep:
    """Looks for Jobs to delete, again and again.

    Jobs of tenants that this database does not know belong to another installation and are left alone; so are probes,
    whose Jobs are deleted by who asked, and by the cluster a day after their end in any case.

    Args:
        sessions: as `atom_worker`.
        place: where the Jobs are.
    """

    def __init__(self, sessions: Sessions, place: JobPlace) -> None:
        self._sessions = sessions
        self._place = place

    def look(self) -> int:
        """How many Jobs are being deleted now. A cluster that cannot be asked is asked at the next look."""
        from atomctl.kubernetes.calls import Patience

        patience = Patience.of(_QUESTION_SECONDS)
        swept = 0
        try:
            for job in self._orphans(_swept_jobs(self._place.desk.jobs(patience))):
                self._place.desk.delete(job.name, patience)
                _log.warning("job.swept", job=job.name, attempt=str(job.attempt_id))
                swept += 1
        except AtomError as error:
            if error.code.id.startswith("DBA"):
                raise
            _log.warning("jobs.unswept", why=error.why, code=error.code.id)
        return swept

    def _orphans(self, jobs: Iterable[SweptJob]) -> list[SweptJob]:
        by_tenant = defaultdict[UUID, list[SweptJob]](list)
        for job in jobs:
            by_tenant[job.tenant_id].append(job)
        return [job for tenant_id, its in by_tenant.items() for job in orphans(its, self._states(tenant_id, its))]

    def _states(self, tenant_id: UUID, jobs: list[SweptJob]) -> Mapping[UUID, AttemptState] | None:
        with self._sessions.tenant(tenant_id) as conn:
            if not _sql.is_tenant(conn, tenant_id=tenant_id):
                return None
            rows = _sql.attempt_states(conn, tenant_id=tenant_id, ids=[job.attempt_id for job in jobs])
            return {row["id"]: AttemptState(row["state"]) for row in rows}


def orphans(jobs: Iterable[SweptJob], states: Mapping[UUID, AttemptState] | None) -> list[SweptJob]:
    """Those of one tenant's Jobs whose attempt has ended or is unknown; none if the tenant itself is unknown here."""
    if states is None:
        return []
    return [job for job in jobs if states.get(job.attempt_id) is not AttemptState.STARTED]


def _swept_jobs(found: Iterable[Object]) -> list[SweptJob]:
    """The Jobs that the sweep looks after; those that are going away already are not among them."""
    from atomctl.kubernetes.objects import mapping
    from atomctl.runs.steps.jobs.names import PROBE, owner_of

    swept = []
    for item in found:
        metadata = mapping(item, "metadata")
        labels = mapping(metadata, "labels")
        owner = owner_of(labels)
        if owner is not None and PROBE not in labels and "deletionTimestamp" not in metadata:
            swept.append(SweptJob(str(metadata["name"]), *owner))
    return swept
