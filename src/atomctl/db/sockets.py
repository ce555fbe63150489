"""Where the server's Unix socket lies: in the home, or, if that path is too long for a socket, in a short folder."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from atomctl.canonical import sha256
from atomctl.db import codes
from atomctl.db.accounts import Account
from atomctl.errors import AtomError

PORT = 5432
LIMIT = 107
"""Bytes of a Unix socket's path; `sun_path` holds 108 with the closing NUL (unix(7))."""


def socket_folder(base: Path) -> Path:
    """The socket folder for the server whose files lie in `base`; the same one each time."""
    folder = base / "socket"
    if len(os.fsencode(folder / f".s.PGSQL.{PORT}")) <= LIMIT:
        return folder
    short = Path("/run") if os.geteuid() == 0 else Path("/tmp")  # noqa: S108  # its owner and mode are checked
    return short / f"atomctl-{sha256(os.fsencode(base)).hex()[:16]}"


def prepare_socket_folder(folder: Path, account: Account) -> None:
    """Afterwards `folder` exists, is a real folder of `account`, and nobody else can enter it.

    Raises:
        AtomError: DBA005 somebody else has put something there, or it cannot be created.
    """
    try:
        if not folder.is_symlink() and not folder.exists():
            account.private_folder(folder)
        found = folder.lstat()
    except OSError as error:
        raise AtomError(codes.HOME_UNUSABLE, f"{folder}: {error.strerror}") from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
        raise AtomError(codes.HOME_UNUSABLE, f"{folder} is not a private folder of uid {account.uid}")
