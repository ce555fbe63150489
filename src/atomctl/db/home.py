"""The home folder: made private, and run by one process at a time."""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import stat
from pathlib import Path

from atomctl.db import codes
from atomctl.db.accounts import Account
from atomctl.errors import AtomError

LOCK = "up.lock"


def prepare_home(home: Path, account: Account) -> None:
    """Afterwards `home` exists, belongs to the caller, is not writable by others, and `account` may pass through it.

    A new home has mode 0700; where root runs the server as `account`, its group may pass through as well (0710), so
    that neither other users nor the server's user can list it. Folders above are created when missing, never changed.

    Raises:
        AtomError: DBA005 it cannot be used as a home, DBA006 the disk is full.
    """
    try:
        if not home.exists():
            home.mkdir(mode=0o700, parents=True)
        found = home.stat()
        if not stat.S_ISDIR(found.st_mode):
            raise AtomError(codes.HOME_UNUSABLE, f"{home} is not a folder")
        if found.st_uid != os.geteuid():
            raise AtomError(codes.HOME_UNUSABLE, f"{home} belongs to uid {found.st_uid}, not to {os.geteuid()}")
        if found.st_mode & 0o022:
            raise AtomError(
                codes.HOME_UNUSABLE, f"{home} is writable by others (mode {stat.S_IMODE(found.st_mode):04o})"
            )
        if not found.st_mode & 0o077 and not _is_login_home(home):
            account.passable_folder(home)
    except OSError as error:
        raise _unusable(home, error) from error


def require_reachable(folder: Path, account: Account) -> None:
    """Returns when the server's account can enter `folder`.

    Raises:
        AtomError: DBA005 it cannot; a folder above is closed to it.
    """
    if not account.enters(folder):
        why = f"the user that runs PostgreSQL (uid {account.uid}) cannot enter {folder}"
        raise AtomError(codes.HOME_UNUSABLE, why, hint="choose a home it can reach, best the default /var/lib/atomctl")


def _is_login_home(home: Path) -> bool:
    """Somebody's login folder keeps its mode: opening it by a bit is not ours to decide."""
    return any(Path(entry.pw_dir) == home for entry in pwd.getpwall())


def _unusable(home: Path, error: OSError) -> AtomError:
    code = codes.DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else codes.HOME_UNUSABLE
    return AtomError(code, f"{error.filename or home}: {error.strerror}")


class HomeLock:
    """The right to run a home. The kernel releases it when the holder dies, however it dies.

    The file stays and holds the last holder's process id for the message; what counts is the lock on it.
    """

    def __init__(self, home: Path) -> None:
        self._file = home / LOCK
        self._handle: int | None = None

    def acquire(self) -> None:
        """Takes the lock without waiting.

        Raises:
            AtomError: DBA004 another process holds it, DBA005 or DBA006 the file cannot be written.
        """
        try:
            handle = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise _unusable(self._file, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError as error:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip()
            os.close(handle)
            raise AtomError(codes.HOME_IN_USE, f"process {holder or '?'} runs {self._file.parent}") from error
        except OSError as error:
            os.close(handle)
            raise _unusable(self._file, error) from error
        self._handle = handle

    def holder(self) -> int | None:
        """The id of the process that runs the home now; None if none does."""
        try:
            handle = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unusable(self._file, error) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = os.pread(handle, 32, 0).strip()
            return int(text) if text.isdigit() else None
        else:
            return None
        finally:
            os.close(handle)

    def release(self) -> None:
        """Gives the lock back; a second call does nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
