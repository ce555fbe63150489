"""The key of the local store: 32 random bytes in a file that nobody but its owner can read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from atomctl.errors import AtomError
from atomctl.files import create_file
from atomctl.secrets import codes

BYTES = 32
_LIMIT = 1024


def create_key(path: Path) -> bytes:
    """A new key, now at `path` in hex, mode 0600, in a folder of mode 0700; the one another process made meanwhile.

    Raises:
        AtomError: SEC021 it cannot be written.
    """
    key = secrets.token_bytes(BYTES)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not create_file(path, f"{key.hex()}\n".encode()):
            return load_key(path)
    except OSError as error:
        raise AtomError(codes.BAD_KEY_FILE, f"{path} cannot be made: {error.strerror}") from error
    return key


def load_key(path: Path) -> bytes:
    """The key at `path`.

    Raises:
        AtomError: SEC021 it is missing, not a key, or others than its owner can read it.
    """
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(_LIMIT)
    except OSError as error:
        raise AtomError(codes.BAD_KEY_FILE, f"{path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        why = f"{path} can be read by others (mode {mode & 0o777:04o})"
        raise AtomError(codes.BAD_KEY_FILE, why, hint=f"chmod 600 {path}    # and write its secrets anew")
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError as error:
        raise AtomError(codes.BAD_KEY_FILE, f"{path} does not hold a key in hex") from error
    if len(key) != BYTES:
        raise AtomError(codes.BAD_KEY_FILE, f"{path} holds {len(key)} bytes, a key has {BYTES}")
    return key
