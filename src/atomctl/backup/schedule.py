"""Backups and drills on their own: one worker at a time, however many there are."""

from __future__ import annotations

import datetime
import threading
from dataclasses import dataclass
from typing import Any

import psycopg

from atomctl.backup.ledger import Newest
from atomctl.backup.plan import Wanted
from atomctl.backup.service import Backups
from atomctl.db import queries
from atomctl.db.connections import connect
from atomctl.db.roles import DatabaseRole
from atomctl.errors import AtomError
from atomctl.telemetry.logs import get_logger

LOCK = int.from_bytes(b"ATOM_BKS", "big")
"""The advisory lock of the worker that runs the schedule."""

_log = get_logger(__name__)
_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """When what is due.

    Attributes:
        backup_every: between two backups; None: no backups.
        drill_every: between two drills; None: no drills.
        first_after: how long a worker runs before it takes the first backup of all: what is tried out for a minute
            needs none.
        retry_after: the pause after a failure.
        look: between two looks.
    """

    backup_every: datetime.timedelta | None
    drill_every: datetime.timedelta | None
    first_after: datetime.timedelta = datetime.timedelta(minutes=2)
    retry_after: datetime.timedelta = datetime.timedelta(minutes=15)
    look: datetime.timedelta = datetime.timedelta(seconds=30)


def timetable(
    backup_every: datetime.timedelta | None, drill_every: datetime.timedelta | None, *, embedded: bool
) -> Timetable | None:
    """The timetable of an instance; None where nothing is ever due. Pure.

    Args:
        backup_every: as it was set; a duration of nothing is `off`, None was not set.
        drill_every: likewise.
        embedded: whether the instance looks after its own database; an external one's owner may have backups already.
    """
    usual = (datetime.timedelta(days=1), datetime.timedelta(days=7)) if embedded else (None, None)
    every, drills = (
        given if given is not None else default
        for given, default in zip((backup_every, drill_every), usual, strict=True)
    )
    if not every and not drills:
        return None
    return Timetable(backup_every=every or None, drill_every=drills or None)


def backup_due(newest: Newest, times: Timetable, running_for: datetime.timedelta) -> bool:
    """Whether it is time for a backup. Pure."""
    if times.backup_every is None:
        return False
    if newest.taken_at is None:
        return running_for >= times.first_after
    return newest.now - newest.taken_at >= times.backup_every


def drill_due(newest: Newest, times: Timetable) -> bool:
    """Whether it is time for a drill: there is a set, and the last try, passed or not, is long enough ago. Pure."""
    if times.drill_every is None or newest.taken_at is None:
        return False
    return newest.tried_at is None or newest.now - newest.tried_at >= times.drill_every


class Schedule:
    """Runs the timetable.

    Args:
        backups: what is done.
        times: when.
    """

    def __init__(self, backups: Backups, times: Timetable) -> None:
        self._backups = backups
        self._times = times

    def run(self, stop: threading.Event) -> None:
        """Leads or stands by until `stop` is set; a failure is logged and tried again later."""
        started = datetime.datetime.now(datetime.UTC)
        self._backups.restorer.site.clear()
        while not stop.wait(self._times.look.total_seconds()):
            try:
                self.look_once(datetime.datetime.now(datetime.UTC) - started)
            except (AtomError, psycopg.Error) as error:
                _log.warning("backup.schedule_failed", why=str(error))
                stop.wait(self._times.retry_after.total_seconds())

    def look_once(self, running_for: datetime.timedelta) -> None:
        """Does what is due, if no other worker leads.

        Raises:
            AtomError: it did not work.
        """
        dsn = self._backups.taker.address.dsn(DatabaseRole.WORKER)
        with connect(dsn, application_name="atomctl backup schedule") as session:
            if not _sql.try_lock(session, key=LOCK):
                return
            if backup_due(self._backups.ledger.newest(), self._times, running_for):
                self._back_up()
            if drill_due(self._backups.ledger.newest(), self._times):
                self._drill()

    def _back_up(self) -> None:
        taken = self._backups.create(Wanted.BEST).statement
        _log.info("backup.taken", backup=str(taken.id), kind=taken.kind.value, size=taken.size)
        for set_id in self._backups.prune(datetime.datetime.now(datetime.UTC)):
            _log.info("backup.removed", backup=str(set_id))

    def _drill(self) -> None:
        report = self._backups.drill()
        (_log.info if report["passed"] else _log.error)("backup.drilled", **{k: report[k] for k in _LOGGED})


_LOGGED = ("name", "passed", "rpo_seconds", "rto_seconds", "sets")
