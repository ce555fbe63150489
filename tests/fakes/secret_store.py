"""A secret store in memory that can be told to fail; the real ones are used wherever they are the point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from atomctl.errors import AtomError, Code
from atomctl.secrets import codes
from atomctl.secrets.model import SecretValue, SecretVersion
from atomctl.secrets.paths import Location, locate


@dataclass
class FakeStore:
    """`failing` is what every call is refused with; `lease` how long a value may be kept; `asked` counts reads."""

    mount: str = "secret"
    name: str = "fake"
    failing: Code | None = None
    lease: timedelta = timedelta(hours=1)
    asked: int = 0
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    held: dict[Location, list[dict[str, str]]] = field(default_factory=dict)
    closed: bool = False

    def read(self, tenant_id: UUID, path: str, *, version: int | None = None) -> SecretValue:
        self.asked += 1
        there = self._there(tenant_id, path)
        number = len(there) if version is None else version
        if not 0 < number <= len(there):
            raise AtomError(codes.NOT_FOUND, path)
        place = locate(self.mount, tenant_id, path)
        return SecretValue(path=str(place), version=number, values=there[number - 1], expires_at=self.now + self.lease)

    def write(self, tenant_id: UUID, path: str, values: Mapping[str, str], *, expected_version: int) -> int:
        there = self._there(tenant_id, path)
        if len(there) != expected_version:
            raise AtomError(codes.CONFLICT, path)
        there.append(dict(values))
        return len(there)

    def versions(self, tenant_id: UUID, path: str) -> tuple[SecretVersion, ...]:
        there = self._there(tenant_id, path)
        return tuple(SecretVersion(version=number, created=self.now) for number in range(1, len(there) + 1))

    def paths(self, tenant_id: UUID) -> tuple[str, ...]:
        return tuple(sorted(place.name for place in self.held if place.tenant_id == tenant_id))

    def close(self) -> None:
        self.closed = True

    def _there(self, tenant_id: UUID, path: str) -> list[dict[str, str]]:
        if self.failing is not None:
            raise AtomError(self.failing, "told to")
        return self.held.setdefault(locate(self.mount, tenant_id, path), [])
