"""Runs, plans and logs as documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import Field

from atomctl.runs.model import Answer, Attempt, Phase, Run, Step
from atomctl.server.documents.base import Body, Document, Place


class RunBody(Body):
    """A run to request, or with `dry_run` its plan. Without `version`: the highest that may be run."""

    workflow: str
    version: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)
    reason: str | None = Field(default=None, max_length=2000)
    dry_run: bool = False


class CancelBody(Body):
    """A cancellation."""

    reason: str | None = Field(default=None, max_length=2000)


class ResolveBody(Body):
    """What a person knows about a step whose outcome nobody recorded."""

    step: str
    action: Literal["done", "rerun", "rollback"]
    reason: str = Field(min_length=1, max_length=2000)

    @property
    def answer(self) -> Answer:
        """The answer in the words of runs."""
        return {"done": Answer.DONE, "rerun": Answer.AGAIN, "rollback": Answer.ROLL_BACK}[self.action]


class RerunBody(Body):
    """A new run like an old one; steps before `from_step` are not repeated."""

    from_step: str | None = None


class ErrorItem(Document):
    """Why something ended badly."""

    code: str | None
    why: str


class AttemptItem(Document):
    """One try of a step."""

    id: UUID
    number: int
    state: str
    started_at: datetime
    ended_at: datetime | None
    exit_code: int | None
    isolation: str | None
    error: ErrorItem | None


class StepItem(Document):
    """One step with its attempts; `kind` is `step` or `rollback`."""

    name: str
    kind: str
    type: str
    state: str
    outputs: dict[str, Any]
    error: ErrorItem | None
    approval_id: UUID | None
    started_at: datetime | None
    ended_at: datetime | None
    attempts: list[AttemptItem]


class RunSummary(Document):
    """A run without its steps."""

    id: UUID
    workflow: str
    version: str
    package_id: UUID
    package_digest: str
    state: str
    parameters: dict[str, Any]
    plan_digest: str
    preview_digest: str | None
    """Of what the cluster said the run would do; None where no k8s step changes anything."""
    policy_digest: str
    environment: str
    approval_id: UUID | None
    rerun_of: UUID | None
    requested_by: UUID
    requested_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    dry_run: bool
    error: ErrorItem | None
    left_behind: list[str]

    @classmethod
    def of(cls, run: Run) -> Self:
        """The document of a run."""
        return cls(**_summary(run))


class RunDocument(RunSummary):
    """A run with its steps and the decision it was made under."""

    schema_: Literal["atom.run/v1"] = Field(default="atom.run/v1", alias="schema")
    decision: dict[str, Any]
    steps: list[StepItem]

    @classmethod
    def whole(cls, run: Run, steps: Sequence[Step], attempts: Sequence[Attempt], decision: dict[str, Any]) -> Self:
        """The document of a run and what belongs to it."""
        items = [_step(step, [try_ for try_ in attempts if _belongs(try_, step)]) for step in steps]
        return cls(**_summary(run), decision=decision, steps=items)


class RunPage(Document):
    """Some runs, the newest first."""

    schema_: Literal["atom.run-page/v1"] = Field(default="atom.run-page/v1", alias="schema")
    items: list[RunSummary]
    next: str | None


class PlanDocument(Document):
    """What a run would do or does, to objects of a cluster too, the decision, and the votes it needs."""

    schema_: Literal["atom.run-plan/v1"] = Field(default="atom.run-plan/v1", alias="schema")
    run_id: UUID
    plan: dict[str, Any]
    digest: str
    preview: dict[str, Any] | None
    preview_digest: str | None
    decision: dict[str, Any]
    approvals_needed: list[Place]


class LogLine(Document):
    """One line; `offset` is where it begins."""

    offset: int
    step: str
    attempt: int
    text: str


class LogDocument(Document):
    """Lines from an offset on; go on at `next_offset` until `ended`."""

    schema_: Literal["atom.log/v1"] = Field(default="atom.log/v1", alias="schema")
    items: list[LogLine]
    next_offset: int
    ended: bool


def _summary(run: Run) -> dict[str, Any]:
    same = (
        *("id", "workflow", "version", "package_id", "package_digest", "parameters", "plan_digest", "policy_digest"),
        "preview_digest",
        *("environment", "approval_id", "rerun_of", "requested_by", "started_at", "ended_at", "dry_run"),
    )
    return {
        **{name: getattr(run, name) for name in same},
        "state": run.state.value,
        "requested_at": run.created_at,
        "error": _error(run.code, run.why),
        "left_behind": list(run.left_over),
    }


def _step(step: Step, attempts: Sequence[Attempt]) -> StepItem:
    same = ("name", "type", "outputs", "approval_id", "started_at", "ended_at")
    return StepItem(
        **{name: getattr(step, name) for name in same},
        kind="step" if step.phase is Phase.FORWARD else "rollback",
        state=step.state.value,
        error=_error(step.code, step.error),
        attempts=[_attempt(each) for each in attempts],
    )


def _attempt(attempt: Attempt) -> AttemptItem:
    same = ("id", "number", "started_at", "ended_at", "exit_code", "isolation")
    fields = {name: getattr(attempt, name) for name in same}
    return AttemptItem(**fields, state=attempt.state.value, error=_error(attempt.code, attempt.error))


def _belongs(attempt: Attempt, step: Step) -> bool:
    return (attempt.step, attempt.phase) == (step.name, step.phase)


def _error(code: str | None, why: str | None) -> ErrorItem | None:
    return ErrorItem(code=code, why=why or "") if code or why else None
