"""Who can read backups: the key that wraps each set's own data key."""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from atomctl.backup import codes
from atomctl.canonical import keyed_digest
from atomctl.errors import AtomError
from atomctl.files import replace_file

KEY_BYTES = 32
_NONCE = 12
_HEADER = "atom-backup-key-v1 "
_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class WrappedKey:
    """A data key as it stands in a statement: useless without the key `key_id`."""

    key_id: str
    data: bytes


class KeyWrapper(Protocol):
    """Where the key that wraps lies is its own affair: a file, or a server that never gives it out."""

    def prepare(self) -> None:
        """Afterwards there is a key to wrap with, made now if there was none.

        Raises:
            AtomError: BAK002 it cannot be made.
        """

    def wrap(self, data_key: bytes, set_id: UUID) -> WrappedKey:
        """The data key of the set, wrapped; bound to the set's id.

        Raises:
            AtomError: BAK001 or BAK002 the wrapping key is missing or cannot be used.
        """

    def unwrap(self, wrapped: WrappedKey, set_id: UUID) -> bytes:
        """The data key of the set.

        Raises:
            AtomError: BAK001 or BAK002 as for `wrap`, BAK003 another key wrapped it, BAK004 it was changed.
        """


class FileWrapper:
    """A `KeyWrapper` by AES-256-GCM under a key in a file only its owner can read."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def prepare(self) -> None:
        """As `KeyWrapper.prepare`."""
        create_key(self._path)

    def wrap(self, data_key: bytes, set_id: UUID) -> WrappedKey:
        """As `KeyWrapper.wrap`."""
        key = read_key(self._path)
        nonce = secrets.token_bytes(_NONCE)
        return WrappedKey(key_id(key), nonce + AESGCM(key).encrypt(nonce, data_key, set_id.bytes))

    def unwrap(self, wrapped: WrappedKey, set_id: UUID) -> bytes:
        """As `KeyWrapper.unwrap`."""
        key = read_key(self._path)
        if key_id(key) != wrapped.key_id:
            raise AtomError(codes.WRONG_KEY, f"the set needs {wrapped.key_id}, {self._path} holds {key_id(key)}")
        nonce, sealed = wrapped.data[:_NONCE], wrapped.data[_NONCE:]
        try:
            return AESGCM(key).decrypt(nonce, sealed, set_id.bytes)
        except (InvalidTag, ValueError) as error:
            raise AtomError(codes.CHANGED, f"the wrapped key of set {set_id} does not open") from error


def key_id(key: bytes) -> str:
    """16 hex digits that name a key and say nothing about it: HMAC-SHA-256 of a fixed text under it."""
    return keyed_digest(key, b"atom backup key id").removeprefix("sha256:")[:16]


def read_key(path: Path) -> bytes:
    """The 32 bytes of the key in the file.

    Raises:
        AtomError: BAK001 there is no file, BAK002 others can read it, it cannot be read or holds no key.
    """
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            text = stream.read(_LIMIT).decode("ascii", "replace").strip()
    except FileNotFoundError as error:
        raise AtomError(codes.KEY_MISSING, f"{path} does not exist") from error
    except OSError as error:
        raise AtomError(codes.KEY_UNUSABLE, f"{path}: {error.strerror}") from error
    if mode & 0o077:
        raise AtomError(codes.KEY_UNUSABLE, f"{path} can be read by others (mode {mode & 0o777:04o})")
    try:
        key = base64.b64decode(text.removeprefix(_HEADER), validate=True)
    except ValueError:
        key = b""
    if not text.startswith(_HEADER) or len(key) != KEY_BYTES:
        raise AtomError(codes.KEY_UNUSABLE, f"{path} does not hold a backup key")
    return key


def create_key(path: Path) -> None:
    """Afterwards the file holds a key, mode 0600, made now if there was none. An existing file is never changed.

    Raises:
        AtomError: BAK002 it cannot be written.
    """
    if path.exists():
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = _HEADER + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
        replace_file(path, f"{text}\n".encode())
    except OSError as error:
        raise AtomError(codes.KEY_UNUSABLE, f"{path}: {error.strerror}") from error
