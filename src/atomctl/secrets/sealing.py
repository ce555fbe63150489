"""How one version lies on disk: `ATOMSEC1`, 12 bytes of nonce, AES-256-GCM (NIST SP 800-38D). Pure but for the nonce.

Tenant, path and version are authenticated with the content, so a file opens at its own place alone: a version that was
copied to another path, tenant or number is refused like one that was changed.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from atomctl.canonical import canonical_json
from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.paths import Location

_MAGIC = b"ATOMSEC1"
_NONCE = 12


@dataclass(frozen=True, slots=True)
class Content:
    """What a version holds. `created` is UTC."""

    created: datetime
    values: Mapping[str, str] = field(repr=False)


def seal(key: bytes, place: Location, version: int, content: Content) -> bytes:
    """The bytes of the version's file."""
    nonce = secrets.token_bytes(_NONCE)
    plain = canonical_json({"created": content.created.isoformat(), "values": dict(content.values)})
    return _MAGIC + nonce + AESGCM(key).encrypt(nonce, plain, _bound(place, version))


def unseal(key: bytes, place: Location, version: int, data: bytes) -> Content:
    """What `seal` was given, if all else is the same.

    Raises:
        AtomError: SEC022 it is not.
    """
    start = len(_MAGIC) + _NONCE
    if not data.startswith(_MAGIC) or len(data) < start:
        raise AtomError(codes.DAMAGED, f"version {version} of {place} is no sealed file")
    try:
        plain = AESGCM(key).decrypt(data[len(_MAGIC) : start], data[start:], _bound(place, version))
    except InvalidTag as error:
        raise AtomError(codes.DAMAGED, f"version {version} of {place} does not open with this key") from error
    found = json.loads(plain)
    return Content(datetime.fromisoformat(found["created"]), found["values"])


def _bound(place: Location, version: int) -> bytes:
    """`tenant|path|version`. No part can hold a `|`, so no two places have the same bytes."""
    return f"{place.tenant_id}|{place.mount}/{place.name}|{version}".encode()
