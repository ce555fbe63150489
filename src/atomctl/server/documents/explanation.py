"""Explanations of runs as documents; their parts have the fields of the values they are made from."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import ConfigDict, Field

from atomctl.explanation.model import Aspect, Explanation, Waiting
from atomctl.knowledge.fixes import Fix
from atomctl.server.documents.base import Document


class Part(Document):
    """A part of an explanation, read off the value of the same fields."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ProblemItem(Part):
    """Why something ended badly; of a code that is not known, or without one, there is no meaning."""

    why: str
    code: str | None
    title: str | None
    meaning: str | None
    hint: str | None


class LogItem(Part):
    """The end of a step's log; `more`: lines stand before these."""

    lines: list[str]
    more: bool
    unreadable: str | None


class StepSeenItem(Part):
    """A step to look at, as its newest attempt left it."""

    name: str
    kind: str
    type: str
    state: str
    tries: int
    exit_code: int | None
    isolation: str | None
    started_at: datetime | None
    ended_at: datetime | None
    problem: ProblemItem | None
    log: LogItem


class WaitItem(Part):
    """What a run waits for."""

    kind: Waiting
    text: str
    since: datetime | None
    until: datetime | None


class ChangeItem(Part):
    """Something that is not as it was at the last success."""

    aspect: Aspect
    name: str | None
    before: str | None
    after: str | None


class ComparisonItem(Part):
    """What differs, what is the same, what is not recorded of both runs."""

    changes: list[ChangeItem]
    same: list[Aspect]
    unrecorded: list[Aspect]
    more: int


class SinceSuccessItem(Part):
    """The last success before the run, and what differs from it."""

    run_id: UUID
    ended_at: datetime
    comparison: ComparisonItem


class SignalSeenItem(Part):
    """A signal near the run."""

    id: UUID
    kind: str
    severity: str
    state: str
    summary: str
    window_start: datetime
    window_end: datetime
    names_run: bool


class PassageItem(Part):
    """A passage of a document."""

    source: str
    title: str
    text: str


class SimilarFailureItem(Part):
    """A past run in which something like it went wrong, and what ended that."""

    run_id: UUID
    workflow: str
    version: str
    state: str
    ended_at: datetime | None
    step: str | None
    cosine: float | None
    coverage: float
    fix: Fix
    fixed_by: UUID | None
    said: str | None
    differences: list[str]


class SimilarFailuresItem(Part):
    """Past failures like this one; without `synced`, past runs are not in the index."""

    synced: bool
    runs: list[SimilarFailureItem]
    words_alone: str | None


class NextCommandItem(Part):
    """A command to type."""

    command: str
    why: str


class ExplanationDocument(Part):
    """What happened to a run, or what it waits for."""

    schema_: Literal["atom.explanation/v1"] = Field(default="atom.explanation/v1", alias="schema")
    run_id: UUID
    workflow: str
    version: str
    state: str
    dry_run: bool
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    story: str
    problem: ProblemItem | None
    failing: list[StepSeenItem]
    at_work: StepSeenItem | None
    waits_for: WaitItem | None
    left_behind: list[str]
    since_success: SinceSuccessItem | None
    signals: list[SignalSeenItem]
    runbook: PassageItem | None
    similar: SimilarFailuresItem | None
    next: list[NextCommandItem]

    @classmethod
    def of(cls, found: Explanation) -> Self:
        """The document of an explanation."""
        run = found.run
        parts = {name: getattr(found, name) for name in _PARTS}
        return cls.model_validate(
            {
                **parts,
                **{name: getattr(run, name) for name in ("workflow", "version", "dry_run", "started_at", "ended_at")},
                "run_id": run.id,
                "state": run.state.value,
                "requested_at": run.created_at,
                "left_behind": list(run.left_over),
            }
        )


_PARTS = (
    *("story", "problem", "failing", "at_work", "waits_for", "since_success", "signals", "runbook", "similar", "next"),
)
