"""Whether a partition and its rows say the same as the order and the manifest around them. Pure."""

from __future__ import annotations

import array
import datetime
from typing import Any

from atomctl.canonical import Json
from atomctl.dataset.model import Partition, Row, Split, Splits
from atomctl.dataset.schema import row_validator
from atomctl.dataset.vector import vector_bytes

_TOLERANCE = 1e-3
"""How far the length of a vector may be from 1, as for those in the cache."""


def require_consistent(partition: Partition, order: dict[str, Json]) -> None:
    """Returns if the partition's figures and its place in the split fit together.

    Raises:
        ValueError: they do not.
    """
    if partition.runs != partition.rows + sum(partition.dropped.values()):
        raise ValueError(f"{partition.day}: {partition.runs} runs are not its rows and what was left out")
    splits = splits_of(order)
    if partition.split is not (splits.of(partition.day) if splits else None):
        raise ValueError(f"{partition.day}: {partition.split} is not what its split says")
    if partition.split is Split.GAP and (partition.rows or partition.files):
        raise ValueError(f"{partition.day}: a day of a gap has rows")


def splits_of(order: dict[str, Json]) -> Splits | None:
    """The split that the order has.

    Raises:
        ValueError: it is none.
    """
    found: Any = order.get("splits")
    if found is None:
        return None
    try:
        border = found["validation_from"]
        return Splits(
            test_from=datetime.date.fromisoformat(found["test_from"]),
            validation_from=datetime.date.fromisoformat(border) if border else None,
            gap_days=int(found["gap_days"]),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"the order's split cannot be read: {error}") from error


def require_fitting(row: Row, partition: Partition, order: dict[str, Json]) -> None:
    """Returns if the row fits its schema, its day, its tombstones and the order's model.

    Raises:
        ValueError: it does not.
    """
    if not row_validator().is_valid(row):
        raise ValueError("a row does not fit its schema")
    began = datetime.datetime.fromisoformat(str(row["execution_time"]))
    duration = row["duration_ms"] if isinstance(row["duration_ms"], int) else None
    if duration is not None and (began + datetime.timedelta(milliseconds=duration)).date() > partition.day:
        raise ValueError(f"run {row['run_id']} ended after {partition.day}")
    if row["run_id"] in {str(run_id) for run_id in partition.forgotten}:
        raise ValueError(f"run {row['run_id']} was forgotten and has a row")
    _require_vector(row, order.get("embedding"))


def _require_vector(row: Row, wanted: Any) -> None:
    found: Any = row["embedding"]
    if (found is None) != (wanted is None):
        raise ValueError(f"run {row['run_id']}: a vector that was not ordered, or none that was")
    if found is None:
        return
    numbers = array.array("f", vector_bytes(found["vector"]))
    if (found["model"], len(numbers)) != (wanted["model"], wanted["dimension"]):
        raise ValueError(f"run {row['run_id']}: the vector is not of the model that was ordered")
    if not abs(sum(number * number for number in numbers) ** 0.5 - 1.0) <= _TOLERANCE:  # false for NaN, too
        raise ValueError(f"run {row['run_id']}: the vector has another length than 1")
