"""The log's signing key: an Ed25519 key in a file only its owner can read, and the verifier key beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization as ser
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from atomctl.audit.checkpoint import deployment_origin
from atomctl.audit.codes import BAD_KEY
from atomctl.audit.note import VerifierKey, parse_vkey
from atomctl.errors import AtomError
from atomctl.files import create_file, replace_file

_LIMIT = 64 * 1024


class FileKey:
    """A `note.Signer` whose private key lies in a file."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self._public = private.public_key().public_bytes(ser.Encoding.Raw, ser.PublicFormat.Raw)

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""
        return self._public

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the Ed25519 signature."""
        return self._private.sign(message)

    @property
    def vkey(self) -> VerifierKey:
        """The deployment's verifier key, which also verifies the logs of its tenants."""
        return VerifierKey(deployment_origin(self.public), self.public)


def create_key(path: Path) -> FileKey:
    """Makes a new key at `path` (mode 0600, its folder 0700) and its verifier key at `path` with suffix `.vkey`.

    Raises:
        AtomError: AUD715 something is at `path` already, or it cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    key = FileKey(private)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not create_file(path, pem):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        _show(path, key)
    except OSError as error:
        raise AtomError(BAD_KEY, f"{path} cannot be made: {error.strerror}") from error
    return key


def load_key(path: Path) -> FileKey:
    """Reads the key at `path`.

    Raises:
        AtomError: AUD715 it is missing, not an Ed25519 key in PEM, or readable by others than its owner.
    """
    try:
        with path.open("rb") as stream:
            mode = os.fstat(stream.fileno()).st_mode
            pem = stream.read(_LIMIT)
    except OSError as error:
        raise AtomError(BAD_KEY, f"{path} cannot be read: {error.strerror}") from error
    if mode & 0o077:
        raise AtomError(BAD_KEY, f"{path} can be read by others (mode {mode & 0o777:04o})", hint=f"chmod 600 {path}")
    try:
        private = ser.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise AtomError(BAD_KEY, f"{path} is not a private key in PEM without a password") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise AtomError(BAD_KEY, f"{path} holds another kind of key than Ed25519")
    return FileKey(private)


def load_or_create_key(path: Path) -> FileKey:
    """The key at `path`, made first if nothing is there; its verifier key lies beside it.

    Raises:
        AtomError: AUD715 as for `load_key` and `create_key`.
    """
    if not path.exists():
        return create_key(path)
    key = load_key(path)
    if not path.with_suffix(".vkey").exists():  # whoever made the key was interrupted
        _show(path, key)
    return key


def _show(path: Path, key: FileKey) -> None:
    replace_file(path.with_suffix(".vkey"), f"{key.vkey}\n".encode(), mode=0o644)


def read_vkeys(text: str) -> tuple[VerifierKey, ...]:
    """The verifier keys of a known-keys file: one per line, empty lines and lines that start with `#` left out.

    Raises:
        AtomError: AUD715 a line is not a verifier key.
    """
    lines = (line.strip() for line in text.splitlines())
    return tuple(parse_vkey(line) for line in lines if line and not line.startswith("#"))
