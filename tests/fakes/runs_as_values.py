"""Runs, steps and attempts as values, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from atomctl.canonical import Digest
from atomctl.db.ids import new_id
from atomctl.runs.model import Attempt, AttemptState, Origin, Phase, Run, RunState, Step, StepState
from atomctl.runs.read import Steps

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
_NONE = Digest("sha256:" + "0" * 64)


def a_run(state: RunState, **given: Any) -> Run:
    """A run in this state that was asked for at `NOON`."""
    fields: dict[str, Any] = {
        **{name: new_id() for name in ("tenant_id", "id", "package_id", "requested_by")},
        **dict.fromkeys(("package_digest", "parameters_digest", "plan_digest", "policy_digest"), _NONE),
        **dict.fromkeys(("why", "code", "rerun_of", "approval_id", "preview_digest", "started_at", "ended_at")),
        "workflow": "work",
        "version": "1.0.0",
        "parameters": {},
        "left_over": (),
        "dry_run": False,
        "environment": "test",
        "origin": Origin.PERSON,
        "created_at": NOON,
    }
    return Run(**{**fields, "state": state, **given})


def a_step(name: str, state: StepState, *, phase: Phase = Phase.FORWARD, position: int = 1, **given: Any) -> Step:
    """A shell step in this state, tried once."""
    fields: dict[str, Any] = {
        **dict.fromkeys(("exit_code", "error", "code", "completion", "approval_id", "started_at", "ended_at")),
        "type": "shell",
        "outputs": {},
        "attempts": 1,
        "round": 1,
    }
    return Step(**{**fields, "name": name, "state": state, "phase": phase, "position": position, **given})


def an_attempt(step: Step, state: AttemptState, number: int = 1, **given: Any) -> Attempt:
    """A try of the step that began `number` seconds after `NOON`."""
    fields: dict[str, Any] = {
        "id": new_id(),
        "worker_id": new_id(),
        "step": step.name,
        "phase": step.phase,
        "outputs": {},
        "number": number,
        "try_number": number,
        "round": 1,
        "token": 1,
        "state": state,
        **dict.fromkeys(("exit_code", "error", "code", "isolation", "ended_at")),
        "started_at": NOON + timedelta(seconds=number),
    }
    return Attempt(**{**fields, **given})


def steps_of(*steps: Step) -> Steps:
    """The steps of a run."""
    return Steps(*({step.name: step for step in steps if step.phase is phase} for phase in Phase))
