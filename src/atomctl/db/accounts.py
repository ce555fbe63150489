"""The system user that runs PostgreSQL when ATOM is started by root, and giving folders to it."""

from __future__ import annotations

import logging
import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from atomctl.db import codes
from atomctl.errors import AtomError

NAME = "atomctl"

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
"""All that a server process inherits: none of the caller's tokens."""

# `useradd` lies where a plain user's PATH, or cron's, does not look.
_ADMINISTRATION = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group a server process runs as."""

    uid: int
    gid: int

    @property
    def arguments(self) -> dict[str, Any]:
        """What makes `subprocess` drop to the account; nothing if that is the caller."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def succeeds(self, command: list[str]) -> bool:
        """Whether the account can run `command` and it ends with status 0; what it prints is dropped."""
        quiet = subprocess.DEVNULL
        try:
            done = subprocess.run(
                command, stdout=quiet, stderr=quiet, check=False, timeout=30, env=ENVIRONMENT, cwd="/", **self.arguments
            )
        except OSError:
            return False
        return done.returncode == 0

    def enters(self, folder: Path) -> bool:
        """Whether the account can pass through all folders above `folder` into it; found out by trying."""
        return self.succeeds(["/bin/sh", "-c", 'cd -- "$1"', "sh", str(folder)])

    def private_folder(self, folder: Path) -> None:
        """Afterwards `folder` exists, belongs to the account and nobody else can enter it. Parents are not touched."""
        folder.mkdir(mode=0o700, exist_ok=True)
        self.own(folder)
        folder.chmod(0o700)

    def passable_folder(self, folder: Path) -> None:
        """Afterwards `folder` exists, belongs to the caller, and the account may pass through it, but not list it.

        What root writes into it cannot be replaced by a link, as it could in a folder of the account's own.
        """
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.uid != os.geteuid():
            os.chown(folder, -1, self.gid)
            folder.chmod(0o710)

    def own(self, path: Path) -> None:
        """Afterwards `path` itself belongs to the account."""
        if (self.uid, self.gid) != (os.geteuid(), os.getegid()):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def server_account() -> Account:
    """Who runs PostgreSQL: the caller, or, if that is root, the system user `atomctl`, created when missing.

    Raises:
        AtomError: DBA018 the system user is missing and cannot be created, or is root itself.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    entry = _entry() or _create()
    if entry.pw_uid == 0:
        raise AtomError(codes.ACCOUNT_UNAVAILABLE, f"the user {NAME} has uid 0")
    return Account(entry.pw_uid, entry.pw_gid)


def _entry() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        return None


def _create() -> pwd.struct_passwd:
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    command += ["--shell", "/usr/sbin/nologin", NAME]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, env=_ADMINISTRATION)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AtomError(codes.ACCOUNT_UNAVAILABLE, f"useradd: {error}") from error
    entry = _entry()  # another process may have been faster, and useradd failed for that reason
    if entry is None:
        raise AtomError(codes.ACCOUNT_UNAVAILABLE, f"useradd: {done.stderr.strip()}")
    _log.warning("created the system user %s (uid %d) to run PostgreSQL", NAME, entry.pw_uid)
    return entry
