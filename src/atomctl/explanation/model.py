"""An explanation as values. Times are UTC; texts are bounded and hold no control characters."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from atomctl.knowledge.fixes import Fix
from atomctl.runs.model import Run

LINES = 20
"""Lines of a log that are shown at most."""


class Aspect(enum.StrEnum):
    """What may differ between two runs of one workflow, as far as it is recorded."""

    VERSION = "version"
    PACKAGE = "package"
    """The digest of the package."""
    PARAMETERS = "parameters"
    DECISION = "decision"
    """What today's rules and policies demanded when the run was asked for."""
    RULES = "rules"
    """The digest of the validator's rules that looked at the package when it was pushed."""
    POLICY = "policy"
    """The digest of the policies that decided about it then."""
    IMAGES = "images"
    """Of the package's Jobs and of the objects in the cluster that the run changed."""
    ENVIRONMENT = "environment"
    ISOLATION = "isolation"
    """How the steps were kept apart from the worker."""
    PRODUCT = "product"
    """The version of ATOM that the worker ran."""
    WORKER = "worker"
    """The host of the worker."""


class Waiting(enum.StrEnum):
    """What a run that has not ended waits for."""

    VOTES = "votes"
    DECISION = "decision"
    """A person says what became of a step."""
    RESUME = "resume"
    WORKER = "worker"
    STEP = "step"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why something ended badly: this occurrence, and what its code means. Without a code only `why` is known."""

    why: str
    code: str | None = None
    title: str | None = None
    meaning: str | None = None
    hint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The end of a step's log, masked as it was stored; `unreadable` says why it cannot be shown."""

    lines: tuple[str, ...] = ()
    more: bool = False
    """Whether lines stand before these."""
    unreadable: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSeen:
    """A step that somebody should look at, as its newest attempt left it."""

    name: str
    kind: str
    """`step` or `rollback`."""
    type: str
    state: str
    tries: int
    exit_code: int | None
    isolation: str | None
    started_at: datetime | None
    ended_at: datetime | None
    problem: Problem | None
    log: Log = Log()


@dataclass(frozen=True, slots=True)
class Wait:
    """What the run waits for, in words, since when and until when, as far as that is known."""

    kind: Waiting
    text: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was; `name` says which parameter or image. None: there was or is no such thing."""

    aspect: Aspect
    name: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs from an earlier run, what is the same, and what is not recorded of both."""

    changes: tuple[Change, ...]
    same: tuple[Aspect, ...]
    unrecorded: tuple[Aspect, ...]
    more: int = 0
    """Changes that are not listed."""


@dataclass(frozen=True, slots=True)
class SinceSuccess:
    """The newest success of the same workflow before this run, and what differs from it."""

    run_id: UUID
    ended_at: datetime
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSeen:
    """A signal near the run; `names_run`: the run is part of its evidence, else it is about the same time alone."""

    id: UUID
    kind: str
    severity: str
    state: str
    summary: str
    window_start: datetime
    window_end: datetime
    names_run: bool


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of a document for whoever handles this; `source` says which."""

    source: str
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarFailure:
    """A past run in which something like it went wrong, and what ended that."""

    run_id: UUID
    workflow: str
    version: str
    state: str
    ended_at: datetime | None
    step: str | None
    cosine: float | None
    coverage: float
    """The share of the informative words of this failure that stand in that one, 0 to 1."""
    fix: Fix
    fixed_by: UUID | None
    said: str | None
    """What a person said about it."""
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SimilarFailures:
    """The past failures that are most like this one; without `synced`, past runs are not in the index at all."""

    synced: bool
    runs: tuple[SimilarFailure, ...] = ()
    words_alone: str | None = None
    """Why they were compared by words alone; None if they were not."""


@dataclass(frozen=True, slots=True)
class NextCommand:
    """A command to type, and what for."""

    command: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What happened, or happens, to a run."""

    run: Run
    story: str
    problem: Problem | None
    failing: tuple[StepSeen, ...]
    """The step that failed first, then what failed while it was undone."""
    at_work: StepSeen | None
    waits_for: Wait | None
    since_success: SinceSuccess | None
    signals: tuple[SignalSeen, ...]
    runbook: Passage | None
    similar: SimilarFailures | None = None
    """None where nothing went wrong."""
    next: tuple[NextCommand, ...]
