"""What an export is going to write, settled before its first byte and kept until its last.

The plan holds everything that the bytes depend on besides the runs themselves. An interrupted export goes on under the
plan it began with, whatever the log has grown to meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from atomctl.canonical import Json
from atomctl.dataset.embedding import Embedding
from atomctl.dataset.model import LABELS, ROW_SCHEMA, Format, Order, Partition, Split
from atomctl.dataset.schema import schema_digest
from atomctl.dataset.scrub.policy import ScrubPolicy
from atomctl.dataset.writers import versions

SCHEMA = "atom.dataset-plan/v1"
SCHEMA_VERSION = ROW_SCHEMA.rpartition("/v")[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """The order as the manifest has it, and how far it reaches; `watermark` is None if no run ended in its days."""

    order: dict[str, Json]
    watermark: int | None

    def to_json(self) -> dict[str, Json]:
        """The plan as it is kept."""
        return {"schema": SCHEMA, "order": self.order, "watermark": self.watermark}


def plan_from(document: dict[str, Any]) -> Plan:
    """The plan in a document.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    if document["schema"] != SCHEMA:
        raise ValueError(f"the schema is {document['schema']!r}")
    return Plan(dict(document["order"]), document["watermark"])


def describe(order: Order, policy: ScrubPolicy, embedding: Embedding | None) -> dict[str, Json]:
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
        "embedding": embedding.to_json() if embedding else None,
        "splits": order.splits.to_json() if order.splits else None,
        "libraries": dict[str, Json](versions(order.formats)),
    }


def partition_path(order: Order, partition: Partition, format_: Format) -> str:
    """Where a partition's rows lie, relative to the export; the names are those that Hive-style readers understand."""
    split = f"split={partition.split.value}/" if partition.split else ""
    return f"{split}tenant={order.tenant_id}/day={partition.day.isoformat()}/schema={SCHEMA_VERSION}/runs.{format_}"


def formats_of(order: Order, split: Split | None) -> tuple[Format, ...]:
    """In which formats a day is written; what falls into a gap is written in none."""
    return () if split is Split.GAP else tuple(format_ for format_ in Format if format_ in order.formats)
