"""The closed sets and frozen values of the training-data export."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID

from atomctl.canonical import Digest, Json

Row: TypeAlias = dict[str, Json]
"""One run as it is exported; `schema/dataset-run-v1.schema.json` describes it."""

ROW_SCHEMA = "atom.dataset-run/v1"
LABELS = 1
"""The version of how rows are labelled."""


class Format(enum.StrEnum):
    """How rows are written."""

    JSONL = "jsonl"
    PARQUET = "parquet"


class Reason(enum.StrEnum):
    """Why a run that ended in the exported days is in no row."""

    DRY_RUN = "dry_run"
    """Nothing was executed."""
    INVALID = "invalid"
    """The row does not fit its schema."""
    LOG_DAMAGED = "log_damaged"
    """A chunk of its log is gone or has another digest than was recorded."""
    DUPLICATE = "duplicate"
    """Another row of the partition is the same in everything but the run's id."""
    FORGOTTEN = "forgotten"
    """Somebody had it forgotten: no export may hold it."""
    GAP = "gap"
    """It ended in the days between two parts of a split."""


class Split(enum.StrEnum):
    """What a day's rows are for."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
    GAP = "gap"
    """For nothing: what happened here reaches into the days after it."""


class ErrorType(enum.StrEnum):
    """Why a run did not succeed, in few enough words to learn from."""

    BLOCKED = "blocked"
    REJECTED = "rejected"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    STEP_FAILED = "step_failed"
    STEP_REFUSED = "step_refused"
    """A step ended with a code of ATOM's: it was not let run, or what it ran on was not there."""
    ENGINE = "engine"
    """No step failed; the run was given up."""


class Performance(enum.StrEnum):
    """How long a successful run took, beside those of its workflow before it."""

    FAST = "fast"
    NORMAL = "normal"
    SLOW = "slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """A split by time. The `gap_days` before each border belong to nothing.

    Raises:
        ValueError: the borders are in another order, or the gap is negative.
    """

    test_from: datetime.date
    validation_from: datetime.date | None = None
    gap_days: int = 1

    def __post_init__(self) -> None:
        if self.gap_days < 0 or (self.validation_from is not None and self.validation_from >= self.test_from):
            raise ValueError("validation begins before the test, and a gap has no less than 0 days")

    def of(self, day: datetime.date) -> Split:
        """What the day's rows are for."""
        borders = [border for border in (self.validation_from, self.test_from) if border is not None]
        if any(border - datetime.timedelta(days=self.gap_days) <= day < border for border in borders):
            return Split.GAP
        if day >= self.test_from:
            return Split.TEST
        return Split.VALIDATION if self.validation_from is not None and day >= self.validation_from else Split.TRAIN

    def to_json(self) -> dict[str, Json]:
        """The split as plan and manifest have it."""
        border = self.validation_from
        return {
            "validation_from": border.isoformat() if border else None,
            "test_from": self.test_from.isoformat(),
            "gap_days": self.gap_days,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What somebody wants to have: whole days (UTC) by when runs ended, `until` not among them.

    Attributes:
        tenant_id: whose runs.
        since: the first day.
        until: the day before which it ends; None: as far as the log reaches.
        formats: each row is written in each of these.
        parameters: names of parameters that may be exported.
        watermark: the last entry of the tenant's audit log that counts; None: the last one of any run of these days.
        splits: which days are for training and which for what comes after; None: all days alike.
    """

    tenant_id: UUID
    since: datetime.date
    until: datetime.date | None = None
    formats: tuple[Format, ...] = (Format.JSONL,)
    parameters: frozenset[str] = frozenset()
    watermark: int | None = None
    splits: Splits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Which runs of a day there are up to a watermark: all that an export of it looks at.

    Attributes:
        day: the day (UTC) on which they ended.
        runs: how many, those included that become no row.
        last_entry: the highest place in the audit log of the end of one of them.
        forgotten: those that no export may hold, in order.
        dry_runs: how many executed nothing and are not forgotten.
    """

    day: datetime.date
    runs: int
    last_entry: int
    forgotten: tuple[UUID, ...] = ()
    dry_runs: int = 0


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of an export; `path` is relative to its folder."""

    path: str
    size: int
    digest: Digest

    def to_json(self) -> dict[str, Json]:
        """The file as the manifest lists it."""
        return {"path": self.path, "size": self.size, "digest": self.digest}


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition:
    """One day as it was written: what became of each of its runs up to its watermark.

    `content` is the SHA-256 of the lower-case hex SHA-256 of each row's canonical JSON, each followed by a newline: the
    same in every format. `runs`, `last_entry` and `forgotten` are those of the day's census; `forgotten` are the
    partition's tombstones. `split` is None if the order has none.
    """

    day: datetime.date
    watermark: int
    runs: int
    last_entry: int
    rows: int
    content: Digest
    dropped: Mapping[Reason, int] = field(default_factory=dict)
    forgotten: tuple[UUID, ...] = ()
    split: Split | None = None
    files: tuple[StoredFile, ...] = ()

    def is_of(self, census: Census) -> bool:
        """Whether the day's runs are still those that were looked at; a run that is added has a higher entry."""
        seen = (self.day, self.runs, self.last_entry, self.forgotten)
        return seen == (census.day, census.runs, census.last_entry, census.forgotten)

    def to_json(self) -> dict[str, Json]:
        """The partition as the manifest lists it."""
        return {
            "day": self.day.isoformat(),
            "watermark": self.watermark,
            "runs": self.runs,
            "last_entry": self.last_entry,
            "rows": self.rows,
            "content": self.content,
            "dropped": {reason.value: count for reason, count in sorted(self.dropped.items())},
            "tombstones": [str(run_id) for run_id in self.forgotten],
            "split": self.split.value if self.split else None,
            "files": [file.to_json() for file in self.files],
        }
