"""Objects that nobody can remove before a date, not even who wrote them: what a locked store can do."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from atomctl.objects.model import ObjectStore


class LockMode(enum.StrEnum):
    """What keeps an object from being removed."""

    UNLOCKED = "unlocked"
    """Nothing: whoever may write may remove."""
    GOVERNANCE = "governance"
    """A permission that some have: it stands against mistakes, not against an administrator."""
    COMPLIANCE = "compliance"
    """Nobody can shorten or remove it, the account's owner included."""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long an object stays: `until` in UTC, None where nothing is locked; `held` while it is under legal hold."""

    mode: LockMode
    until: datetime.datetime | None = None
    held: bool = False


UNLOCKED = Retention(LockMode.UNLOCKED)


class LockedStore(ObjectStore, Protocol):
    """An `ObjectStore` whose objects can be retained.

    What it reads is the first version of each key: a version written later, or a marker that pretends the object was
    deleted, hides nothing.
    """

    def put_locked(self, key: str, data: bytes, retain_until: datetime.datetime) -> None:
        """Stores `data` under `key`, retained in compliance mode at least until `retain_until`. A repeat extends.

        Raises:
            AtomError: as `put`; OBJ013 the store cannot lock.
        """

    def retention(self, key: str) -> Retention:
        """How the object under `key` is retained, as the store itself says.

        Raises:
            AtomError: OBJ003 nothing is there.
        """

    def hold(self, key: str) -> None:
        """The object is under legal hold afterwards: it stays, whatever its retention, until the hold is released.

        Raises:
            AtomError: OBJ003 nothing is there, OBJ013 the store cannot lock.
        """

    def release(self, key: str) -> None:
        """The object is under no legal hold afterwards; its retention is unchanged.

        Raises:
            AtomError: OBJ003 nothing is there, OBJ013 the store cannot lock.
        """

    def remove(self, key: str) -> None:
        """Nothing is stored under `key` afterwards. A key without an object is a success.

        Raises:
            AtomError: OBJ014 it is retained or held; it stays.
        """

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """The keys that begin with `prefix` and come behind `after`, in the order of their bytes."""
