"""How a Vault or OpenBao is reached and logged in to. Pure."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from atomctl.errors import AtomError
from atomctl.secrets import codes

_WRAPPING_TOKEN = re.compile(r"(hvs|hvb|s|b)\.")
"""How tokens of Vault (since 1.10: hvs, hvb) and of OpenBao begin. Secret ids are UUIDs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSettings:
    """What `checked` accepts can be used. With a role id, AppRole is used and a token is ignored.

    Attributes:
        mount: of the KV engine, version 2.
        secret_id: the secret id itself, or better the wrapping token of one, which can be opened once.
        ca_file: the certificate authority of the store; None: those the machine trusts.
    """

    address: str
    mount: str
    namespace: str | None = None
    ca_file: Path | None = None
    token: str | None = field(default=None, repr=False)
    role_id: str | None = None
    secret_id: str | None = field(default=None, repr=False)
    approle: str = "approle"

    @property
    def wrapped(self) -> bool:
        """Whether the secret id has to be unwrapped first."""
        return self.secret_id is not None and _WRAPPING_TOKEN.match(self.secret_id) is not None


def checked(settings: VaultSettings) -> VaultSettings:
    """`settings`, if a login can be tried with them.

    Raises:
        AtomError: SEC020 they are incomplete, or would send the token in the clear.
    """
    address = urlsplit(settings.address)
    if address.scheme not in {"http", "https"} or not address.hostname or address.username or address.query:
        raise AtomError(codes.BAD_SETTINGS, "VAULT_ADDR must have the form https://host:8200")
    if address.scheme == "http" and not _loopback(address.hostname):
        raise AtomError(codes.BAD_SETTINGS, f"VAULT_ADDR is plain http to {address.hostname}: tokens would be readable")
    if settings.role_id and not settings.secret_id:
        raise AtomError(codes.BAD_SETTINGS, "VAULT_ROLE_ID is set and VAULT_SECRET_ID is not")
    if not settings.role_id and not settings.token:
        raise AtomError(codes.BAD_SETTINGS, "neither VAULT_ROLE_ID with VAULT_SECRET_ID nor VAULT_TOKEN is set")
    return settings


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
