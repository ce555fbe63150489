"""What was read a moment ago, for when the store does not answer: in memory alone, bounded in number and in time.

The store is asked every time, so that a secret that was rotated or taken away is known at the next step. Memory is
asked only when the store cannot be reached at all. A store that answers, be it that it is sealed, that the path is
forbidden or that the secret is gone, has the last word, and what it refuses is forgotten.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.model import LONGEST, SecretSource, SecretValue, SecretVersion

MOST = 256
"""Values kept; of more, those that were read longest ago are forgotten."""

_LOOK_SECONDS = 5.0

_AWAY = frozenset({codes.DOWN, codes.SLOW, codes.SERVER_ERROR})
"""The store did not answer as itself, so nobody has decided anything."""

_Key = tuple[UUID, str, int | None]


def _now() -> datetime:
    return datetime.now(UTC)


class CachedSource:
    """A `SecretSource` in front of another one.

    Args:
        source: is asked first.
        now: the time, with its zone.
        most: how many values are kept.
    """

    def __init__(self, source: SecretSource, *, now: Callable[[], datetime] = _now, most: int = MOST) -> None:
        self._source = source
        self._now = now
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, SecretValue] = OrderedDict()

    @property
    def name(self) -> str:
        """That of the source."""
        return self._source.name

    @property
    def mount(self) -> str:
        """That of the source."""
        return self._source.mount

    def read(self, tenant_id: UUID, path: str, *, version: int | None = None) -> SecretValue:
        """See `SecretSource.read`; `fresh` is False for what comes from memory."""
        key = (tenant_id, path, version)
        try:
            found = self._source.read(tenant_id, path, version=version)
        except AtomError as error:
            if error.code in _AWAY and (kept := self._still(key)):
                return replace(kept, fresh=False)
            self._forget(key)
            raise
        self._keep(key, found)
        return found

    def write(self, tenant_id: UUID, path: str, values: Mapping[str, str], *, expected_version: int) -> int:
        """See `SecretSource.write`. What was kept of the tenant is forgotten, because paths have several spellings."""
        with self._lock:
            for key in [key for key in self._kept if key[0] == tenant_id]:
                del self._kept[key]
        return self._source.write(tenant_id, path, values, expected_version=expected_version)

    def versions(self, tenant_id: UUID, path: str) -> tuple[SecretVersion, ...]:
        """See `SecretSource.versions`; never from memory."""
        return self._source.versions(tenant_id, path)

    def paths(self, tenant_id: UUID) -> tuple[str, ...]:
        """See `SecretSource.paths`; never from memory."""
        return self._source.paths(tenant_id)

    def close(self) -> None:
        """Everything is forgotten, and the source closed."""
        with self._lock:
            self._kept.clear()
        self._source.close()

    def keep(self, stop: threading.Event) -> None:
        """Forgets in time what must not be kept, until `stop` is set; then everything."""
        while not stop.wait(_LOOK_SECONDS):
            self.expire()
        with self._lock:
            self._kept.clear()

    def expire(self) -> int:
        """Forgets what must not be kept any longer; how many values are left."""
        with self._lock:
            now = self._now()
            for key in [key for key, value in self._kept.items() if value.expires_at <= now]:
                del self._kept[key]
            return len(self._kept)

    def _keep(self, key: _Key, value: SecretValue) -> None:
        bounded = replace(value, expires_at=min(value.expires_at, self._now() + LONGEST))
        with self._lock:
            self._kept[key] = bounded
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        self.expire()

    def _still(self, key: _Key) -> SecretValue | None:
        self.expire()
        with self._lock:
            return self._kept.get(key)

    def _forget(self, key: _Key) -> None:
        with self._lock:
            self._kept.pop(key, None)
