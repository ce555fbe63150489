"""The credentials folder: one file per database role, in PostgreSQL's own password file format, mode 0600.

The format is that of `.pgpass` (https://www.postgresql.org/docs/current/libpq-pgpass.html), one line
`host:port:database:user:password` with `*` for what does not matter. So a connection string names the file, and the
password stands in no argument list, no environment and no log.
"""

from __future__ import annotations

import re
import secrets
import stat
from dataclasses import dataclass, field
from pathlib import Path

from atomctl.db import codes
from atomctl.errors import AtomError
from atomctl.files import create_file

_FIELD = re.compile(r"((?:[^:\\]|\\.)*)(?::|$)")


@dataclass(frozen=True, slots=True)
class Login:
    """Who logs in, and with what; the password stays out of `repr`."""

    user: str
    password: str = field(repr=False)


def password_file(folder: Path, role: str) -> Path:
    """The file of `role`, which exists and only its owner can read.

    Raises:
        AtomError: DBA009 it does not exist, DBA010 others can read it or it is not a plain file.
    """
    file = folder / role
    try:
        found = file.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AtomError(codes.CREDENTIALS_MISSING, f"{file} does not exist") from error
    except PermissionError as error:
        raise AtomError(codes.CREDENTIALS_UNSAFE, f"{file}: {error.strerror}") from error
    # libpq ignores such a file with a warning and then fails with a riddle; we say what is wrong.
    if not stat.S_ISREG(found.st_mode) or found.st_mode & 0o077:
        raise AtomError(codes.CREDENTIALS_UNSAFE, f"{file} has mode {stat.S_IMODE(found.st_mode):04o}")
    return file


def read_login(folder: Path, role: str) -> Login:
    """User and password of the first line of the role's file.

    Raises:
        AtomError: DBA009 no such file or not a password file line, DBA010 others can read it.
    """
    file = password_file(folder, role)
    line = file.read_text().partition("\n")[0]
    fields = [re.sub(r"\\(.)", r"\1", text) for text in _FIELD.findall(line)]
    if len(fields) < 5 or not fields[4]:
        raise AtomError(codes.CREDENTIALS_MISSING, f"{file} is not a line host:port:database:user:password")
    return Login(fields[3], fields[4])


def ensure_password(folder: Path, role: str) -> Path:
    """The role's file; made with a random password of 256 bits if there is none. An existing one is never changed."""
    file = folder / role
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        create_file(file, f"*:*:*:{role}:{secrets.token_urlsafe(32)}\n".encode())
    return password_file(folder, role)
