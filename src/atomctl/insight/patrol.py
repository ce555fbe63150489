"""The patrol: one worker at a time goes round all tenants, reads what is new, and raises signals.

Each look is a transaction of one tenant: what was read and the position behind it commit together, so a patrol that
dies in the middle neither forgets nor repeats. Another worker goes on as soon as the leader's transaction has ended.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.note import VerifierKey
from atomctl.db import queries
from atomctl.db.session import Connection, Sessions
from atomctl.insight import looks
from atomctl.insight.model import Candidate
from atomctl.insight.service import raise_signal
from atomctl.runs import outage
from atomctl.telemetry.logs import get_logger

_log = get_logger(__name__)
_sql: Any = queries.load(__file__)

Look = Callable[[Connection, UUID], Iterable[Candidate]]
"""Reads what is new for one tenant and moves its own position; what it gives is raised in the same transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolOptions:
    """How often things are looked at.

    Attributes:
        pause: between two rounds.
        verify_every: between two verifications of the same log, which read it from its first entry.
    """

    pause: timedelta = timedelta(seconds=5)
    verify_every: timedelta = timedelta(hours=1)


class Patrol:
    """Goes round as long as it is told to.

    Args:
        sessions: connections of the worker's role, closed when the patrol ends.
        trusted: the keys that may have signed the audit log.
        options: how often.
    """

    def __init__(
        self,
        sessions: Sessions,
        trusted: Sequence[VerifierKey] = (),
        options: PatrolOptions | None = None,
    ) -> None:
        self._sessions = sessions
        self._options = options or PatrolOptions()
        verification = looks.Verification(trusted, self._options.verify_every)
        self._looks: tuple[Look, ...] = (looks.log_entries, looks.ended_runs, looks.old_approvals, verification.look)

    def run(self, stop: threading.Event) -> None:
        """Patrols until `stop` is set; a lost database is waited for, and one failed look does not keep others away."""
        with self._sessions:
            while not stop.is_set():
                try:
                    self.round(stop)
                except Exception as error:  # noqa: BLE001 - the next round must take place
                    _complain(error, "round")
                stop.wait(self._options.pause.total_seconds())

    def round(self, stop: threading.Event | None = None) -> int:
        """One look at everything, if no other worker is patrolling; how many signals were raised or repeated.

        Raises:
            AtomError: DBA001 the database does not answer.
        """
        raised = 0
        with self._sessions.deployment() as leading:
            if not _sql.try_lead(leading):
                return 0
            for tenant_id in _tenants(leading):
                for look in self._looks:
                    if stop is not None and stop.is_set():
                        return raised
                    raised += _carried_out(self._sessions, tenant_id, look)
        return raised


def _tenants(conn: Connection) -> Iterator[UUID]:
    """Every tenant, and the deployment's own log."""
    yield from (row["tenant_id"] for row in _sql.tenant_ids(conn))
    yield DEPLOYMENT


def _carried_out(sessions: Sessions, tenant_id: UUID, look: Look) -> int:
    try:
        with sessions.tenant(tenant_id) as conn:
            return sum(raise_signal(conn, tenant_id, found) is not None for found in look(conn, tenant_id))
    except Exception as error:  # noqa: BLE001 - one tenant's odd row must not blind the patrol to the others
        _complain(error, "look", tenant=str(tenant_id))
        return 0


def _complain(error: Exception, what: str, **where: str) -> None:
    if outage.is_outage(error):
        _log.warning("database.away", loop="insight", **where)
    else:
        _log.exception("insight.failed", what=what, **where)
