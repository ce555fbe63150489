"""The stored metrics of backups, as every process can read them from the database."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.backup.ledger import Newest, newest
from atomctl.db.session import Sessions
from atomctl.telemetry import catalog
from atomctl.telemetry.readings import Reading


class BackupFigures:
    """A source for `telemetry.readings`.

    Args:
        sessions: connections of a serving role.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def __call__(self) -> list[Reading]:
        """All figures as of now.

        Raises:
            AtomError: DBA001 the database does not answer.
        """
        with self._sessions.deployment() as connection:
            return list(readings(newest(connection)))


def readings(found: Newest) -> Iterator[Reading]:
    """The figures; 0 for what never happened, so that an alert can tell it from a metric that is missing. Pure."""
    yield Reading(catalog.BACKUP_TAKEN, found.taken_at.timestamp() if found.taken_at else 0)
    yield Reading(catalog.DRILL_PASSED, found.drilled_at.timestamp() if found.drilled_at else 0)
    if found.rpo is not None:
        yield Reading(catalog.DRILL_RPO, found.rpo)
    if found.rto is not None:
        yield Reading(catalog.DRILL_RTO, found.rto)
