"""The closed sets and frozen values of runs."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atomctl.canonical import Digest, Json


class RunState(enum.StrEnum):
    """Where a run is; what may follow what is the table in `states`."""

    RECEIVED = "RECEIVED"
    PLANNING = "PLANNING"
    BLOCKED = "BLOCKED"
    AWAITING_APPROVAL = "AWAITING_APPROVAL"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    CANCELLING = "CANCELLING"
    CANCELLED = "CANCELLED"
    ROLLING_BACK = "ROLLING_BACK"
    ROLLED_BACK = "ROLLED_BACK"
    ROLLBACK_INCOMPLETE = "ROLLBACK_INCOMPLETE"
    NEEDS_DECISION = "NEEDS_DECISION"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"


class StepState(enum.StrEnum):
    """Where one step of a run is."""

    PENDING = "PENDING"
    SKIPPED = "SKIPPED"
    STARTING = "STARTING"
    """The intent is committed; whether a process exists is not known yet."""
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"
    UNKNOWN = "UNKNOWN"
    """The worker ended while it ran, and nobody knows whether it took effect."""
    COMPENSATED = "COMPENSATED"
    COMPENSATION_FAILED = "COMPENSATION_FAILED"


class AttemptState(enum.StrEnum):
    """How one try of a step stands."""

    STARTED = "STARTED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"
    REFUSED = "REFUSED"
    """The step was never started: an address, an expression or the isolation forbade it."""
    LOST = "LOST"
    """Its worker ended before a result was recorded."""


class SegmentState(enum.StrEnum):
    """Where a segment is. READY is the outbox: a relay enqueues it."""

    READY = "READY"
    ENQUEUED = "ENQUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    LOST = "LOST"
    """The engine gave it up; the run went on in the next segment."""


class Phase(enum.StrEnum):
    """Which of the package's two lists a step is in."""

    FORWARD = "FORWARD"
    ROLLBACK = "ROLLBACK"


class Origin(enum.StrEnum):
    """What asked for the run."""

    PERSON = "PERSON"
    RERUN = "RERUN"


class Answer(enum.StrEnum):
    """What a person decides about a step whose outcome is unknown."""

    DONE = "done"
    AGAIN = "again"
    ROLL_BACK = "roll-back"


@dataclass(frozen=True, slots=True)
class SegmentKey:
    """Names one segment; `engine_id` is the deterministic id of its engine workflow."""

    tenant_id: UUID
    run_id: UUID
    number: int

    @property
    def engine_id(self) -> str:
        """`run:<run id>:<number>`; a second enqueue under the same id does nothing."""
        return f"run:{self.run_id}:{self.number}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A segment as one worker owns it.

    Every takeover increments `token`; a write that carries an older one changes nothing (fencing).
    """

    segment: SegmentKey
    token: int
    worker_id: UUID


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of a step, as recorded.

    `number` counts all attempts of the step, `try_number` those of the retry policy within one `round`: an attempt that
    was lost with its worker does not use up a retry, and a person who lets a step be tried again starts a new round.
    """

    id: UUID
    step: str
    phase: Phase
    number: int
    round: int
    try_number: int
    state: AttemptState
    token: int
    worker_id: UUID
    exit_code: int | None
    outputs: dict[str, Json]
    error: str | None
    code: str | None
    isolation: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a run, as recorded; `completion` orders the steps of a run by when they ended (1 is the first)."""

    name: str
    phase: Phase
    position: int
    type: str
    state: StepState
    exit_code: int | None
    outputs: dict[str, Json]
    error: str | None
    code: str | None
    attempts: int
    round: int
    completion: int | None
    approval_id: UUID | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Run:
    """One execution with fixed package digest and parameters."""

    tenant_id: UUID
    id: UUID
    package_id: UUID
    workflow: str
    version: str
    package_digest: Digest
    parameters: dict[str, Json]
    parameters_digest: Digest
    plan_digest: Digest
    policy_digest: Digest
    state: RunState
    why: str | None
    code: str | None
    left_over: tuple[str, ...]
    dry_run: bool
    environment: str
    origin: Origin
    rerun_of: UUID | None
    requested_by: UUID
    approval_id: UUID | None
    preview_digest: Digest | None
    """Of what the cluster said the run would do; None where it has no k8s steps."""
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
