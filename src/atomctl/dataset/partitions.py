"""Which days there are to export, and which of them were exported as they are now: what a scheduler asks."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from atomctl.access.model import Actor
from atomctl.canonical import Digest, Json
from atomctl.dataset.manifest import read_manifest
from atomctl.dataset.model import ROW_SCHEMA, Census, Order
from atomctl.dataset.reading import RunReader
from atomctl.dataset.service import Means, require_export
from atomctl.dataset.workspace import MANIFEST
from atomctl.db import queries
from atomctl.errors import AtomError

_sql: Any = queries.load(__file__)


class PartitionState(enum.StrEnum):
    """Whether a day has to be exported."""

    NEW = "new"
    """It was never handed out."""
    DUE = "due"
    """Its runs are others than when it was handed out last."""
    CURRENT = "current"
    """It was handed out, and its runs are still the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOut:
    """What of a day was handed out last."""

    watermark: int
    runs: int
    last_entry: int
    forgotten: int
    rows: int
    content: Digest
    exported_at: datetime.datetime

    def to_json(self) -> dict[str, Json]:
        """As `atom.dataset-partition/v1` has it."""
        return {
            "watermark": self.watermark,
            "rows": self.rows,
            "content": self.content,
            "at": self.exported_at.astimezone(datetime.UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        }


@dataclass(frozen=True, slots=True)
class ListedPartition:
    """A day with runs, and what of it was handed out."""

    census: Census
    exported: HandedOut | None

    @property
    def state(self) -> PartitionState:
        """Whether it has to be exported."""
        if self.exported is None:
            return PartitionState.NEW
        now = (self.census.runs, self.census.last_entry, len(self.census.forgotten))
        seen = (self.exported.runs, self.exported.last_entry, self.exported.forgotten)
        return PartitionState.CURRENT if now == seen else PartitionState.DUE

    def to_json(self) -> dict[str, Json]:
        """The partition as a document, schema `atom.dataset-partition/v1`."""
        return {
            "day": self.census.day.isoformat(),
            "state": self.state.value,
            "runs": self.census.runs,
            "dry_runs": self.census.dry_runs,
            "forgotten": len(self.census.forgotten),
            "last_entry": self.census.last_entry,
            "exported": self.exported.to_json() if self.exported else None,
        }


def list_partitions(means: Means, actor: Actor, order: Order, root: Path | None = None) -> list[ListedPartition]:
    """The days of the order that have runs, the first one first; nothing is changed.

    Args:
        means: what is exported with.
        actor: who asks.
        order: the days.
        root: a day is compared with the finished export in the folder of its name below `root`; None: with what was
            handed out last of it in this version of rows, to whomever and with whatever options.

    Raises:
        AtomError: AUT020, DAT806 the actor may not export the tenant's runs (recorded); DAT808 the log does not reach
            the order's watermark.
    """
    require_export(means.sessions, actor, order.tenant_id)
    reader = RunReader(means.sessions, means.objects, order.tenant_id)
    days = reader.census(order, reader.watermark(order))
    if root is not None:
        return [ListedPartition(each, _in_folder(means, order.tenant_id, root, each.day)) for each in days]
    with means.sessions.tenant(order.tenant_id) as conn:
        found = _sql.last_exported(
            conn, tenant_id=order.tenant_id, start=order.since, end=order.until, row_schema=ROW_SCHEMA
        )
        exported = {row["day"]: _handed_out(row) for row in found}
    return [ListedPartition(each, exported.get(each.day)) for each in days]


def _handed_out(row: Mapping[str, Any]) -> HandedOut:
    return HandedOut(**{name: value for name, value in row.items() if name != "day"})


def _in_folder(means: Means, tenant_id: UUID, root: Path, day: datetime.date) -> HandedOut | None:
    """What of the day is in its folder; None if no finished export of this instance and tenant is."""
    file = root / day.isoformat() / MANIFEST
    try:
        manifest = read_manifest(file.read_bytes(), [means.audit_key.vkey]).manifest
        written = datetime.datetime.fromtimestamp(file.stat().st_mtime, datetime.UTC)
    except (OSError, AtomError):
        return None
    found = next((partition for partition in manifest.partitions if partition.day == day), None)
    if found is None or manifest.order["tenant"] != str(tenant_id):
        return None
    return HandedOut(
        watermark=found.watermark,
        runs=found.runs,
        last_entry=found.last_entry,
        forgotten=len(found.forgotten),
        rows=found.rows,
        content=found.content,
        exported_at=written,
    )
