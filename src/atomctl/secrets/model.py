"""The port `SecretSource`, and the values that go through it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.secrets import codes

LONGEST = timedelta(minutes=5)
"""How long a value may stay in memory, whatever its lease says."""

MAX_BYTES = 256 * 1024
"""Of all values of one version together, as UTF-8."""
MAX_FIELDS = 64
_FIELD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
"""As the manifest's schema has it for `key`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretValue:
    """One version of one secret.

    Attributes:
        path: `mount/tenant/name`, as it is audited.
        version: from 1, counted by the store.
        values: by field name; they appear in no `repr`.
        expires_at: UTC; afterwards it must be neither used nor kept. At most five minutes after it was read.
        fresh: whether the store gave it now; False: from this process's memory, because the store does not answer.
    """

    path: str
    version: int
    values: Mapping[str, str] = field(repr=False)
    expires_at: datetime
    fresh: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretVersion:
    """What is known of a version without its values. `created` is UTC; a version that is gone cannot be read."""

    version: int
    created: datetime
    gone: bool = False


class SecretSource(Protocol):
    """A store of secrets. Every path is checked against the tenant's prefix before anything is asked.

    All methods raise `AtomError`: SEC002 not a path, SEC003 another tenant's; SEC010 to SEC019 a server that does not
    answer, refuses or talks nonsense; SEC021 to SEC023 a local store that cannot be used.
    """

    @property
    def name(self) -> str:
        """Which store this is, as the setting `secrets` names it."""

    @property
    def mount(self) -> str:
        """What whole paths begin with."""

    def read(self, tenant_id: UUID, path: str, *, version: int | None = None) -> SecretValue:
        """The version asked for, or the newest.

        Raises:
            AtomError: SEC005 nothing is stored there.
        """

    def write(self, tenant_id: UUID, path: str, values: Mapping[str, str], *, expected_version: int) -> int:
        """The number of the new version, which holds exactly `values`. 0 expects that there is no version yet.

        Raises:
            AtomError: SEC007 the newest version is another one, SEC008 the values cannot be stored.
        """

    def versions(self, tenant_id: UUID, path: str) -> tuple[SecretVersion, ...]:
        """The versions the store still knows, the oldest first; none where nothing is stored."""

    def paths(self, tenant_id: UUID) -> tuple[str, ...]:
        """The names below the tenant's prefix, sorted."""

    def close(self) -> None:
        """Gives back what the store lent, a login above all; a second call does nothing."""


def check_values(values: Mapping[str, str]) -> None:
    """Returns if these can be a version.

    Raises:
        AtomError: SEC008 they cannot.
    """
    if not 0 < len(values) <= MAX_FIELDS:
        raise AtomError(codes.BAD_VALUE, f"{len(values)} fields; a secret has 1 to {MAX_FIELDS}")
    for name, value in values.items():
        if not _FIELD.fullmatch(name):
            raise AtomError(codes.BAD_VALUE, f"{name[:80]!r} is not the name of a field")
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise AtomError(codes.BAD_VALUE, f"the value of {name} holds a zero byte or is not Unicode text")
    if (size := sum(len(value.encode()) for value in values.values())) > MAX_BYTES:
        raise AtomError(codes.BAD_VALUE, f"the values have {size} bytes, at most {MAX_BYTES} fit")
