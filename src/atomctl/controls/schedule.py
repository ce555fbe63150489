"""Checks on their own: once a week, by one worker at a time, in a process of its own."""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from atomctl.audit.log import list_entries
from atomctl.audit.model import DEPLOYMENT
from atomctl.controls.checking import ALL
from atomctl.db import queries
from atomctl.db.address import DatabaseAddress
from atomctl.db.connections import connect
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError, ExitCode
from atomctl.telemetry.logs import get_logger

LOCK = int.from_bytes(b"ATOM_CTL", "big")
"""The advisory lock of the worker that has a check made."""
KEPT = 8
"""Folders of evidence that stay in the home; the audit log has every check."""

_log = get_logger(__name__)
_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a check is due.

    Attributes:
        every: between two checks.
        first_after: how long a worker runs before it has the first one made: an instance that is tried out for an
            afternoon is left alone.
        look: between two looks.
        at_most: how long a check may take.
    """

    every: datetime.timedelta
    first_after: datetime.timedelta = datetime.timedelta(hours=6)
    look: datetime.timedelta = datetime.timedelta(minutes=5)
    at_most: datetime.timedelta = datetime.timedelta(hours=1)


def due(last: datetime.datetime | None, now: datetime.datetime, running_for: datetime.timedelta, when: Rhythm) -> bool:
    """Whether it is time for a check. Pure."""
    return running_for >= when.first_after if last is None else now - last >= when.every


class Schedule:
    """Has checks made.

    Args:
        address: the database, where the audit log says when the last check was.
        folder: where the evidence goes, a folder for each check.
        rhythm: when.
        command: what makes a check; `--reports FOLDER` is added.
    """

    def __init__(
        self, address: DatabaseAddress, folder: Path, rhythm: Rhythm, command: Sequence[str] | None = None
    ) -> None:
        self._address = address
        self._folder = folder
        self._rhythm = rhythm
        self._command = command or (sys.executable, "-m", "atomctl", "controls", "check", "-o", "json")

    def run(self, stop: threading.Event) -> None:
        """Looks until `stop` is set; a check under way is then ended. What goes wrong is logged and tried again."""
        started = datetime.datetime.now(datetime.UTC)
        while not stop.wait(self._rhythm.look.total_seconds()):
            try:
                self.look_once(datetime.datetime.now(datetime.UTC) - started, stop)
            except (AtomError, psycopg.Error, OSError) as error:
                _log.warning("controls.schedule_failed", why=str(error))

    def look_once(self, running_for: datetime.timedelta, stop: threading.Event) -> ExitCode | None:
        """Has a check made if one is due and no other worker does; how it ended, None if it did not.

        Raises:
            AtomError: DBA0xx the database does not answer.
            OSError: the check cannot be started, or its folder cannot be made.
        """
        dsn = self._address.dsn(DatabaseRole.WORKER)
        with connect(dsn, application_name="atomctl controls schedule") as session:
            leads = _sql.try_lock(session, key=LOCK)
            if not leads or not due(self._last(), datetime.datetime.now(datetime.UTC), running_for, self._rhythm):
                return None
            return self._check(stop)

    def _last(self) -> datetime.datetime | None:
        """When the last check of all controls was recorded."""
        with (
            Sessions(self._address, DatabaseRole.WORKER, min_size=0, max_size=1, name="atomctl controls") as sessions,
            sessions.tenant(DEPLOYMENT) as connection,
        ):
            entries = list_entries(connection, DEPLOYMENT, subject=ALL, limit=1)
        return entries[0].time if entries else None

    def _check(self, stop: threading.Event) -> ExitCode | None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        reports = self._folder / f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}"
        ended = _wait([*self._command, "--reports", str(reports)], stop, self._rhythm.at_most)
        for old in sorted(path for path in self._folder.iterdir() if path.is_dir())[:-KEPT]:
            shutil.rmtree(old, ignore_errors=True)
        if ended is None:
            _log.warning("controls.check_ended", why="it was stopped or took too long")
            return None
        (_log.info if ended is ExitCode.OK else _log.error)("controls.checked", exit=int(ended), reports=str(reports))
        return ended


def _wait(argv: Sequence[str], stop: threading.Event, at_most: datetime.timedelta) -> ExitCode | None:
    """How the process ended; None if it was ended because `stop` was set or its time was over."""
    quiet = subprocess.DEVNULL
    with subprocess.Popen(argv, env=dict(os.environ), stdin=quiet, stdout=quiet, stderr=quiet) as process:
        deadline = datetime.datetime.now(datetime.UTC) + at_most
        while process.poll() is None:
            if stop.wait(0.5) or datetime.datetime.now(datetime.UTC) > deadline:
                process.terminate()
                try:
                    process.wait(30)
                except subprocess.TimeoutExpired:
                    process.kill()
                return None
    return ExitCode(process.returncode) if process.returncode in set(ExitCode) else ExitCode.NO
