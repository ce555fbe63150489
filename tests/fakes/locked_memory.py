"""A `LockedStore` in memory, whose objects tests read, change and lose at will."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

from atomctl.errors import AtomError
from atomctl.objects import codes
from atomctl.objects.locking import UNLOCKED, LockMode, Retention
from atomctl.objects.model import check_key


class LockedMemory:
    """Keeps bytes in `objects`; `before_put` is called with each new key and may raise what a store would.

    Objects stored with a retention cannot be removed before `now` has reached it.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.retained: dict[str, datetime.datetime] = {}
        self.held: set[str] = set()
        self.now = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)
        self.before_put: Callable[[str], None] = lambda key: None

    def put(self, key: str, data: bytes) -> None:
        self.before_put(check_key(key))
        if self.objects.setdefault(key, data) != data:
            raise AtomError(codes.CONFLICT, f"{key} holds other bytes")

    def put_locked(self, key: str, data: bytes, retain_until: datetime.datetime) -> None:
        self.put(key, data)
        self.retained[key] = max(retain_until, self.retained.get(key, retain_until))

    def get(self, key: str) -> bytes:
        self._require(key)
        return self.objects[key]

    def exists(self, key: str) -> bool:
        return check_key(key) in self.objects

    def retention(self, key: str) -> Retention:
        self._require(key)
        if key not in self.retained:
            return UNLOCKED
        return Retention(LockMode.COMPLIANCE, self.retained[key], key in self.held)

    def hold(self, key: str) -> None:
        self._require(key)
        self.held.add(key)

    def release(self, key: str) -> None:
        self._require(key)
        self.held.discard(key)

    def remove(self, key: str) -> None:
        if self.retained.get(key, self.now) > self.now or key in self.held:
            raise AtomError(codes.RETAINED, f"{key} is retained")
        self.objects.pop(key, None)

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        yield from sorted(key for key in self.objects if key.startswith(prefix) and key > after)

    def _require(self, key: str) -> None:
        if check_key(key) not in self.objects:
            raise AtomError(codes.MISSING, f"nothing is stored under {key}")
