"""Restoring a set into a new folder: recovered, compared with its statement, and on a new epoch of the audit log."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomctl.audit.codes import NO_ENTRY
from atomctl.audit.epochs import begin_epoch
from atomctl.backup import codes
from atomctl.backup.facts import differences, recomputed_facts
from atomctl.backup.reading import Reader
from atomctl.backup.recovered import RecoveredServer
from atomctl.backup.shelf import Shelved
from atomctl.backup.site import Site
from atomctl.backup.unpacking import unpack, writing
from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.db.accounts import Account
from atomctl.db.home import prepare_home, require_reachable
from atomctl.db.roles import DatabaseRole
from atomctl.errors import AtomError
from atomctl.files import sync_folder

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a set showed when it was restored: seconds of each stage, and what was compared.

    Attributes:
        unpack: reading, opening, combining.
        recover: from the start of the server until it takes writes.
        check: counting all rows and computing all audit roots.
        rows: rows of all tables together.
        entries: audit entries of all logs together.
        unfinished: runs that were not at their end at the marker; a worker that starts there goes on with them.
    """

    unpack: float
    recover: float
    check: float
    rows: int
    entries: int
    unfinished: int

    @property
    def usable_after(self) -> float:
        """Seconds until the database took writes again: what counts as recovery time."""
        return self.unpack + self.recover

    def to_json(self) -> dict[str, Json]:
        """The trial as a document; seconds rounded to milliseconds."""
        return {
            "seconds": {name: round(getattr(self, name), 3) for name in ("unpack", "recover", "check")},
            "rows": self.rows,
            "audit_entries": self.entries,
            "unfinished_runs": self.unfinished,
        }


@dataclass(frozen=True, slots=True)
class Restored:
    """A finished restore: the set, the data directory, what it showed, and the epoch that began (0: no log yet)."""

    shelved: Shelved
    data: Path
    trial: Trial
    epoch: int


@dataclass(frozen=True, slots=True)
class Restorer:
    """Brings sets back to life, for good or for a trial."""

    reader: Reader
    site: Site

    def restore(self, shelved: Shelved, target: Path, last_anchor: bytes | None) -> Restored:
        """Afterwards `target/postgres/data` is the database as it was at the set's marker, shut down, checked.

        Its audit logs go on under new names, whose first entries say what they follow.

        Args:
            shelved: the set.
            target: a new or empty folder: the home of the restored instance.
            last_anchor: the newest checkpoint that was anchored outside of the database; None where none is.

        Raises:
            AtomError: BAK008 the folder is not empty, BAK022 it cannot be used; as `Reader.verify`; BAK014 it does not
                start, BAK015 it is not what was backed up; AUD707 the anchor knows another history. Nothing is left.
        """
        account = self.site.account()
        existed = _require_empty(target)
        unfinished = target / "postgres.unfinished"
        try:
            with writing(target):
                prepare_home(target, account)
                account.passable_folder(unfinished)
            require_reachable(unfinished, account)
            trial, epoch = self._bring_back(
                shelved, unfinished, account, durable=True, begin=_Beginning(shelved, last_anchor)
            )
            with writing(target):
                os.sync()  # thousands of files were written without; the name says that they are on disk
                unfinished.rename(target / "postgres")
                sync_folder(target)
        except BaseException:
            shutil.rmtree(unfinished if existed else target, ignore_errors=True)
            raise
        return Restored(shelved, target / "postgres" / "data", trial, epoch)

    def try_out(self, shelved: Shelved) -> Trial:
        """Restores the set to a scratch folder, checks it, and throws it away.

        Raises:
            AtomError: as `restore`.
        """
        account = self.site.account()
        with self.site.scratch(account) as folder:
            return self._bring_back(shelved, folder, account, durable=False, begin=None)[0]

    def _bring_back(
        self, shelved: Shelved, base: Path, account: Account, *, durable: bool, begin: _Beginning | None
    ) -> tuple[Trial, int]:
        statement = shelved.statement
        binaries = self.site.binaries(statement.server.major, account)
        clock = _Stopwatch()
        unpack(self.reader, self.reader.shelf.chain(shelved), base / "data", binaries, account)
        unpacked = clock.lap()
        with RecoveredServer(base, statement, binaries, account, durable=durable) as server:
            recovered = clock.lap()
            with server.connect(DatabaseRole.BACKUP) as connection, connection.transaction():
                found = recomputed_facts(connection)
                unfinished = _sql.unfinished_runs(connection)
            if differing := differences(statement.facts, found):
                raise AtomError(codes.CONTENT_DIFFERS, "; ".join(differing[:3]))
            checked = clock.lap()
            epoch = begin(server) if begin else 0
        rows = sum(found.rows.values())
        return Trial(unpacked, recovered, checked, rows, found.audit.size, unfinished), epoch


@dataclass(frozen=True, slots=True)
class _Beginning:
    """Begins the epoch that says what the restored log follows."""

    shelved: Shelved
    last_anchor: bytes | None

    def __call__(self, server: RecoveredServer) -> int:
        statement = self.shelved.statement
        reason = f"restored from backup {statement.id}, taken at {statement.taken_at.isoformat(timespec='seconds')}"
        with server.connect(DatabaseRole.SEQUENCER) as connection:
            try:
                return begin_epoch(connection, reason, self.last_anchor)
            except AtomError as error:
                if error.code is not NO_ENTRY:
                    raise
                return 0  # nothing was ever recorded, so nothing goes on


def _require_empty(target: Path) -> bool:
    """Whether the folder exists; it is empty then."""
    with writing(target):
        if not target.exists():
            return False
        if not target.is_dir() or any(target.iterdir()):
            raise AtomError(codes.NOT_EMPTY, f"{target} is not an empty folder")
        return True


class _Stopwatch:
    def __init__(self) -> None:
        self._last = time.monotonic()

    def lap(self) -> float:
        """Seconds since the last call."""
        last, self._last = self._last, time.monotonic()
        return self._last - last
