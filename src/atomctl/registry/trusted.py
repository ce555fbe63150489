"""What a tenant trusts at this moment, and the verification of a package against it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atomctl.canonical import Digest
from atomctl.registry import rows
from atomctl.registry.model import Coordinates
from atomctl.registry.rows import Connection, sql
from atomctl.trust.key_record import KeyRecord
from atomctl.trust.rules import TrustRules, narrow, parse
from atomctl.trust.verify import Verdict, verify


@dataclass(frozen=True, slots=True)
class Trusted:
    """The rules in force (the tenant's below the platform's) and every key the tenant has registered."""

    tenant_id: UUID
    rules: TrustRules
    keys: tuple[KeyRecord, ...]

    def verdict(
        self,
        digest: Digest,
        bundles: Sequence[bytes],
        coordinates: Coordinates,
        *,
        environment: str,
        now: datetime,
        accepted_at: datetime | None = None,
        highest_accepted: Mapping[int, str] | None = None,
    ) -> Verdict:
        """What `trust.verify` says about bytes with this digest as this name and version."""
        return verify(
            digest=digest,
            bundles=bundles,
            rules=self.rules,
            keys=self.keys,
            name=coordinates.name,
            version=coordinates.version,
            tenant=str(self.tenant_id),
            environment=environment,
            now=now,
            accepted_at=accepted_at,
            highest_accepted=highest_accepted,
        )


def read_trusted(conn: Connection, tenant_id: UUID) -> Trusted:
    """What the tenant trusts now; without rules nothing is trusted."""
    active, platform = sql.active_rules(conn, tenant_id=tenant_id), sql.platform_rules(conn)
    layers = [parse(row["document"]) if row else TrustRules() for row in (platform, active)]
    keys = tuple(rows.key(row).record for row in sql.all_keys(conn, tenant_id=tenant_id))
    return Trusted(tenant_id, narrow(*layers), keys)


def highest_accepted(conn: Connection, tenant_id: UUID, workflow_id: UUID) -> dict[int, str]:
    """The highest accepted version of each major line of a workflow."""
    found = sql.accepted_versions(conn, tenant_id=tenant_id, workflow_id=workflow_id)
    return {row["major"]: row["version"] for row in found}
