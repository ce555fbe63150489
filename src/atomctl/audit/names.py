"""What logs are called: the deployment's name, the epoch that a restore began, and the tenant. Pure.

`atomctl/<16 hex digits>` is a deployment's own log, `…/<tenant id>` the log of a tenant. After a restore the same logs
go on under `…/e2` and `…/e2/<tenant id>`, and so on with each further one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Self
from uuid import UUID

from atomctl.audit.model import DEPLOYMENT

_NAME = re.compile(
    r"(?P<base>\S+?)(/e(?P<epoch>[2-9]|[1-9][0-9]{1,5}))?(/(?P<tenant>[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}))?"
)


@dataclass(frozen=True, slots=True)
class LogName:
    """A log's name in its parts; the first epoch is 1 and is not written."""

    base: str
    tenant_id: UUID
    epoch: int = 1

    @classmethod
    def parse(cls, origin: str) -> Self:
        """The parts of an origin line.

        Raises:
            ValueError: it is empty or has spaces.
        """
        match = _NAME.fullmatch(origin)
        if match is None:
            raise ValueError(f"not the name of a log: {origin[:200]!r}")
        tenant = UUID(match["tenant"]) if match["tenant"] else DEPLOYMENT
        return cls(match["base"], tenant, int(match["epoch"] or 1))

    def __str__(self) -> str:
        epoch = f"/e{self.epoch}" if self.epoch > 1 else ""
        tenant = f"/{self.tenant_id}" if self.tenant_id != DEPLOYMENT else ""
        return f"{self.base}{epoch}{tenant}"

    def of(self, tenant_id: UUID) -> LogName:
        """The log of a tenant in the same deployment and epoch."""
        return replace(self, tenant_id=tenant_id)

    def in_epoch(self, epoch: int) -> LogName:
        """The same log in another epoch."""
        return replace(self, epoch=epoch)
