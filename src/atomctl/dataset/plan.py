"""What an export is going to write, settled before its first byte and kept until its last.

The plan holds everything that the bytes depend on besides the runs themselves. An interrupted export goes on under the
plan it began with, whatever the log has grown to meanwhile.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from atomctl.canonical import Json
from atomctl.dataset.model import LABELS, ROW_SCHEMA, Format, Order
from atomctl.dataset.reading import Horizon, PlannedDay
from atomctl.dataset.schema import schema_digest
from atomctl.dataset.scrub.policy import ScrubPolicy
from atomctl.dataset.writers import versions

SCHEMA = "atom.dataset-plan/v1"
SCHEMA_VERSION = ROW_SCHEMA.rpartition("/v")[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """The order as the manifest has it, and how far it reaches."""

    order: dict[str, Json]
    horizon: Horizon

    def to_json(self) -> dict[str, Json]:
        """The plan as it is kept."""
        return {
            "schema": SCHEMA,
            "order": self.order,
            "watermark": self.horizon.watermark,
            "days": [{"day": day.day.isoformat(), "dry_runs": day.dry_runs} for day in self.horizon.days],
        }


def plan_from(document: dict[str, Any]) -> Plan:
    """The plan in a document.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    if document["schema"] != SCHEMA:
        raise ValueError(f"the schema is {document['schema']!r}")
    days = (PlannedDay(datetime.date.fromisoformat(day["day"]), int(day["dry_runs"])) for day in document["days"])
    return Plan(dict(document["order"]), Horizon(document["watermark"], tuple(days)))


def describe(order: Order, policy: ScrubPolicy) -> dict[str, Json]:
    """Everything but the watermark that decides about the bytes, as plan and manifest have it.

    Raises:
        AtomError: DAT804 a library for one of the formats is missing.
    """
    return {
        "tenant": str(order.tenant_id),
        "since": order.since.isoformat(),
        "until": order.until.isoformat() if order.until else None,
        "formats": [format_.value for format_ in Format if format_ in order.formats],
        "rows": {"schema": ROW_SCHEMA, "digest": schema_digest(), "labels": LABELS},
        "scrub": {**policy.to_json(), "digest": policy.digest},
        "libraries": dict[str, Json](versions(order.formats)),
    }


def partition_folder(tenant: str, day: datetime.date) -> str:
    """Where a partition's files lie, relative to the export; the names are those that Hive-style readers understand."""
    return f"tenant={tenant}/day={day.isoformat()}/schema={SCHEMA_VERSION}"
