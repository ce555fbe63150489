"""The key of a provider, which stands in a file that nobody but its owner can read."""

from __future__ import annotations

import os
import re
from pathlib import Path

from atomctl.embedding import codes
from atomctl.errors import AtomError

_LONGEST = 4096
_KEY = re.compile(rb"[\x21-\x7e]{1,4096}\s*", re.ASCII)
"""Nothing that could end a header."""


def read_key(file: Path) -> str:
    """The key in the file.

    Raises:
        AtomError: EMB011 it cannot be read, others can read it, or it holds no key.
    """
    try:
        with file.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            data = stream.read(_LONGEST + 1)
    except OSError as error:
        raise AtomError(codes.BAD_KEY_FILE, f"{file}: {error.strerror}") from error
    if mode & 0o077:
        why = f"{file} can be read by others (mode {mode & 0o777:04o})"
        raise AtomError(codes.BAD_KEY_FILE, why, hint=f"chmod 0600 {file}")
    if not _KEY.fullmatch(data):
        raise AtomError(codes.BAD_KEY_FILE, f"{file} does not hold one line of printable ASCII")
    return data.decode("ascii").strip()
