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
class Order:
    """What somebody wants to have: whole days (UTC) by when runs ended, `until` not among them.

    Attributes:
        tenant_id: whose runs.
        since: the first day.
        until: the day before which it ends; None: as far as the log reaches.
        formats: each row is written in each of these.
        parameters: names of parameters that may be exported.
        watermark: the last entry of the tenant's audit log that counts; None: the last one of any run of these days.
    """

    tenant_id: UUID
    since: datetime.date
    until: datetime.date | None = None
    formats: tuple[Format, ...] = (Format.JSONL,)
    parameters: frozenset[str] = frozenset()
    watermark: int | None = None


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
    """One day as it was written.

    `content` is the SHA-256 of the lower-case hex SHA-256 of each row's canonical JSON, each followed by a newline: the
    same in every format. `last_entry` is the highest place in the audit log of a run in it; None if it has no rows.
    """

    day: datetime.date
    rows: int
    content: Digest
    last_entry: int | None
    dropped: Mapping[Reason, int] = field(default_factory=dict)
    files: tuple[StoredFile, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The partition as the manifest lists it."""
        return {
            "day": self.day.isoformat(),
            "rows": self.rows,
            "content": self.content,
            "last_entry": self.last_entry,
            "dropped": {reason.value: count for reason, count in sorted(self.dropped.items())},
            "files": [file.to_json() for file in self.files],
        }
