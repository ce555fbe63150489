"""Which path in the store a name means, and whether whoever gives the name may read it. Pure.

A path lies at `<mount>/<tenant>/<name>`, where the tenant is its id: names of tenants can change hands, ids cannot. A
package writes `db/main` and means its own tenant's; there is nothing it could write to mean another's.

`database/static-creds/NAME` is no secret that somebody stored: it is the password of a database user that a Vault's
database engine changes. A tenant's own engine is mounted at `database/<tenant>`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.wpk.model import SecretRef

DATABASE = "database"
"""Below this, each tenant's database engine is mounted."""
_STATIC = "static-creds"
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_MAX_LENGTH = 512
_MAX_PARTS = 16
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Location:
    """One place in a store. Only `locate` makes one, so that having one means having been checked."""

    mount: str
    tenant_id: UUID
    name: str
    """Below the tenant's prefix."""
    of_database: bool = False
    """Whether a database engine makes the value, so that it can be read and nothing else."""

    @property
    def inner(self) -> str:
        """Below the mount."""
        return f"{self.tenant_id}/{self.name}"

    def __str__(self) -> str:
        return f"{self.mount}/{self.inner}"


def check_mount(mount: str) -> str:
    """`mount`, if a store can be mounted there.

    Raises:
        AtomError: SEC002 it is no path.
    """
    _parts(mount)
    return mount


def locate(mount: str, tenant_id: UUID, path: str) -> Location:
    """The place that `path` means to this tenant.

    Read are `db/main`, and the whole paths that the store's own tools print: `<mount>/<tenant>/db/main` and, as the
    HTTP interface of KV version 2 has it, `<mount>/data/<tenant>/db/main`. `database/static-creds/NAME` and
    `database/<tenant>/static-creds/NAME` are the tenant's database engine, unless `database` is the mount itself.

    Raises:
        AtomError: SEC002 not a path, SEC003 the path is another tenant's, or nobody's.
    """
    parts, above = _parts(path), mount.split("/")
    if above[0] != DATABASE and (name := _name_in_engine(tenant_id, parts)) is not None:
        return Location(DATABASE, tenant_id, name, of_database=True)
    whole = parts[: len(above)] == above
    if whole:
        parts = parts[len(above) :]
        parts = parts[1:] if parts[:1] == ["data"] else parts
    named = bool(parts) and _UUID.fullmatch(parts[0]) is not None
    if (whole or named) and parts[:1] != [str(tenant_id)]:
        raise AtomError(codes.FOREIGN_PATH, f"{path} does not lie below {mount}/{tenant_id}/")
    parts = parts[1:] if whole or named else parts
    if not parts:
        raise AtomError(codes.BAD_PATH, f"{path} is the tenant's prefix, not a secret below it")
    return Location(mount, tenant_id, "/".join(parts))


def stored(mount: str, tenant_id: UUID, path: str) -> Location:
    """As `locate`, for what can be written and has versions.

    Raises:
        AtomError: SEC002 also for what a database engine makes; SEC003.
    """
    place = locate(mount, tenant_id, path)
    if place.of_database:
        raise AtomError(codes.BAD_PATH, f"{path} is what a Vault's database engine makes: nothing is stored there")
    return place


def place_of(mount: str, tenant_id: UUID, declared: Mapping[str, SecretRef], name: str) -> Location:
    """The place of the secret that a package declares under `name`: under its tenant's prefix and on its own list.

    Raises:
        AtomError: SEC004 the package declares no such secret; SEC002, SEC003 as `locate`.
    """
    if name not in declared:
        raise AtomError(codes.NOT_LISTED, f"{name} is not under spec.secrets of the package")
    return locate(mount, tenant_id, declared[name].path)


def _name_in_engine(tenant_id: UUID, parts: list[str]) -> str | None:
    """The name in the tenant's database engine that the path means; None if it means no engine."""
    if parts[0] != DATABASE:
        return None
    below = parts[1:]
    named = bool(below) and _UUID.fullmatch(below[0]) is not None
    name = below[1:] if named else below
    if len(name) != 2 or name[0] != _STATIC:
        return None
    if named and below[0] != str(tenant_id):
        raise AtomError(codes.FOREIGN_PATH, f"{'/'.join(parts)} does not lie below {DATABASE}/{tenant_id}/")
    return "/".join(name)


def _parts(path: str) -> list[str]:
    parts = path.split("/")
    if len(path) > _MAX_LENGTH or len(parts) > _MAX_PARTS or not all(map(_PART.fullmatch, parts)):
        raise AtomError(codes.BAD_PATH, f"{path[:120]!r} is not the path of a secret")
    return parts
