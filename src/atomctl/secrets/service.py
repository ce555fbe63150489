"""Changing what is stored: some fields of a secret, or one of them at random; always on top of the version seen."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.model import SecretSource


@dataclass(frozen=True, slots=True)
class Change:
    """A version that is to be written: `fields` as they will be, on top of the version `follows` (0: none)."""

    path: str
    follows: int
    fields: Mapping[str, str] = field(repr=False)

    def write(self, source: SecretSource, tenant_id: UUID) -> int:
        """The number of the new version.

        Raises:
            AtomError: SEC007 somebody wrote the secret meanwhile; as `SecretSource.write`.
        """
        return source.write(tenant_id, self.path, self.fields, expected_version=self.follows)


def with_fields(source: SecretSource, tenant_id: UUID, path: str, given: Mapping[str, str]) -> Change:
    """The newest version with these fields put or replaced; the others stay as they are.

    Raises:
        AtomError: as `SecretSource.versions` and `read`.
    """
    follows, there = _newest(source, tenant_id, path)
    return Change(path, follows, {**there, **given})


def rotated(source: SecretSource, tenant_id: UUID, path: str, name: str, size: int) -> Change:
    """The newest version with a new random value in one of its fields: `size` bytes in base64 for URLs.

    Raises:
        AtomError: SEC006 there is no such field to rotate; as `SecretSource.versions` and `read`.
    """
    follows, there = _newest(source, tenant_id, path)
    if name not in there:
        raise AtomError(codes.NO_FIELD, f"{path} has no field {name} to rotate")
    return Change(path, follows, {**there, name: secrets.token_urlsafe(size)})


def _newest(source: SecretSource, tenant_id: UUID, path: str) -> tuple[int, Mapping[str, str]]:
    """The newest version's number and fields; of one that was deleted, its number alone."""
    versions = source.versions(tenant_id, path)
    if not versions:
        return 0, {}
    newest = versions[-1]
    if newest.gone:
        return newest.version, {}
    return newest.version, source.read(tenant_id, path, version=newest.version).values
