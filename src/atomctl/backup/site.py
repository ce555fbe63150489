"""Where data is restored to: folders that the server's account can reach, and nothing left of what was abandoned."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomctl.backup import codes
from atomctl.backup.programs import server_programs
from atomctl.db import postmaster
from atomctl.db.accounts import Account, server_account
from atomctl.db.binaries import Binaries, reachable
from atomctl.db.home import prepare_home, require_reachable
from atomctl.errors import AtomError

_SCRATCH = "scratch"
_LOCK = "lock"
_RESTORED, _WORK = "restored-", "backup-"


@dataclass(frozen=True, slots=True)
class Site:
    """The home in which servers are tried out: `scratch/` for what is thrown away, `postgres/` for their programs."""

    home: Path

    def account(self) -> Account:
        """Who runs restored servers.

        Raises:
            AtomError: BAK022 there is no such user or the home cannot be used.
        """
        return server_account()

    def binaries(self, major: int, account: Account) -> Binaries:
        """The server's programs of that version, where the account can run them.

        Raises:
            AtomError: BAK011 there are none, DBA005 and DBA006 they cannot be copied to the home.
        """
        prepare_home(self.home, account)
        beside = self.home / "postgres"
        account.passable_folder(beside)
        found = server_programs(major)
        if found.run_by(account):
            return found
        return reachable(found, account, beside)

    def clear(self) -> None:
        """Afterwards nothing is left of processes that were killed: no folder, and no server that runs in one."""
        parent = self.home / _SCRATCH
        for left in parent.iterdir() if parent.is_dir() else ():
            _remove_if_abandoned(left)

    @contextmanager
    def work(self) -> Iterator[Path]:
        """A private folder of the caller's own, gone afterwards; what killed processes left goes first.

        Raises:
            AtomError: BAK022 it cannot be made.
        """
        with self._folder(_WORK) as folder:
            yield folder

    @contextmanager
    def scratch(self, account: Account) -> Iterator[Path]:
        """A folder for one restore that `account` passes through, gone afterwards.

        What killed processes left goes first, with the servers that still run in it.

        Raises:
            AtomError: BAK022 it cannot be made, DBA005 the account cannot enter it.
        """
        with self._folder(_RESTORED) as folder:
            account.passable_folder(folder)
            require_reachable(folder, account)
            yield folder

    @contextmanager
    def _folder(self, prefix: str) -> Iterator[Path]:
        account = self.account()
        prepare_home(self.home, account)
        parent = self.home / _SCRATCH
        try:
            account.passable_folder(parent)
            self.clear()
            folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError as error:
            raise AtomError(codes.FOLDER_UNUSABLE, f"{error.filename or parent}: {error.strerror}") from error
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)


def _remove_if_abandoned(folder: Path) -> None:
    """Whoever uses a folder holds its lock, and the kernel takes it back when that process dies."""
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if (folder / "data").exists():
            postmaster.stop(folder / "data")
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass
    finally:
        os.close(lock)
