"""The issuer of an instance that has no identity provider: one Ed25519 key in a file only its owner can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from joserfc import jwt
from joserfc.jwk import OKPKey

from atomctl.access import codes
from atomctl.access.claims import Algorithm, FixedKeys, Issuer
from atomctl.access.model import Role
from atomctl.errors import AtomError
from atomctl.files import create_file

NAME = "atomctl:embedded"
"""Its `iss`. It names no machine: a person stays the same person when the instance moves or its key is replaced."""
AUDIENCE = "atomctl"
LIFETIME_LIMIT = timedelta(hours=24)
_FILE_LIMIT = 4096
"""Bytes that are read of a key file; one takes 119."""


class EmbeddedIssuer:
    """Issues tokens with the key at `key_path`, which is made with mode 0600 if there is none.

    Raises:
        AtomError: AUT030 the file can be read by others, belongs to somebody else or is not an Ed25519 private key.
    """

    def __init__(self, key_path: Path) -> None:
        if not key_path.exists():
            _make_key(key_path)
        self._key = OKPKey.import_key(_read_key(key_path))
        self._key_id = self._key.thumbprint()

    def issue(
        self, tenant_id: UUID, subject: str, roles: Iterable[Role], lifetime: timedelta, *, now: datetime | None = None
    ) -> str:
        """A token for `subject`, valid from `now` (UTC, default: this moment) for `lifetime`.

        Raises:
            AtomError: AUT031 the lifetime is under one second or over `LIFETIME_LIMIT`.
        """
        if not timedelta(seconds=1) <= lifetime <= LIFETIME_LIMIT:
            raise AtomError(codes.LIFETIME, f"{lifetime} is not between one second and {LIFETIME_LIMIT}")
        # Milliseconds, because the newest of a person's tokens says which roles they have.
        issued = round((now or datetime.now(UTC)).timestamp(), 3)
        payload = {
            "iss": NAME,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": issued,
            "exp": issued + lifetime.total_seconds(),
            "tenant": str(tenant_id),
            "roles": sorted(roles),
        }
        algorithm = Algorithm.ED25519.value
        return jwt.encode({"alg": algorithm, "kid": self._key_id}, payload, self._key, algorithms=[algorithm])

    @property
    def trusted(self) -> Issuer:
        """What a `Verifier` needs to believe this issuer: its public key, for every tenant of the instance."""
        public = OKPKey.import_key(self._key.as_dict(private=False))
        return Issuer(
            name=NAME,
            audience=AUDIENCE,
            algorithm=Algorithm.ED25519,
            keys=FixedKeys({self._key_id: public}),
            tenants=None,
            lifetime=LIFETIME_LIMIT,
        )


def _make_key(path: Path) -> None:
    """Puts a whole key at `path`; of two processes that try at once, one key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_file(path, Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _read_key(path: Path) -> bytes:
    try:
        # Not through a link, and not waiting for a pipe's other end.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise AtomError(codes.UNSAFE_KEY_FILE, f"{path}: {error.strerror}") from error
    try:
        state = os.fstat(handle)
        if not stat.S_ISREG(state.st_mode) or state.st_mode & 0o077 or state.st_uid != os.geteuid():
            mode = stat.filemode(state.st_mode)
            raise AtomError(
                codes.UNSAFE_KEY_FILE, f"{path} is {mode} of user {state.st_uid}, not -rw------- of this one"
            )
        pem = os.read(handle, _FILE_LIMIT)
    finally:
        os.close(handle)
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise AtomError(codes.UNSAFE_KEY_FILE, f"{path} is not an unencrypted PEM private key") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AtomError(codes.UNSAFE_KEY_FILE, f"{path} is not an Ed25519 key")
    return pem
