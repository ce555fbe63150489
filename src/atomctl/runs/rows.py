"""Rows of the run tables as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomctl.canonical import Digest
from atomctl.runs.model import Attempt, AttemptState, Origin, Phase, Run, RunState, Step, StepState


def run_from(row: Mapping[str, Any]) -> Run:
    """A row of `workflow_runs`."""
    return Run(
        tenant_id=row["tenant_id"],
        id=row["id"],
        package_id=row["package_id"],
        workflow=row["workflow"],
        version=row["version"],
        package_digest=Digest(row["package_digest"]),
        parameters=row["parameters"],
        parameters_digest=Digest(row["parameters_digest"]),
        plan_digest=Digest(row["plan_digest"]),
        policy_digest=Digest(row["policy_digest"]),
        preview_digest=Digest(row["preview_digest"]) if row["preview_digest"] else None,
        state=RunState(row["state"]),
        why=row["why"],
        code=row["code"],
        left_over=tuple(row["left_over"]),
        dry_run=row["dry_run"],
        environment=row["environment"],
        origin=Origin(row["origin"]),
        rerun_of=row["rerun_of"],
        requested_by=row["requested_by"],
        approval_id=row["approval_id"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def step_from(row: Mapping[str, Any]) -> Step:
    """A row of `run_steps`."""
    return Step(
        name=row["name"],
        phase=Phase(row["phase"]),
        position=row["position"],
        type=row["type"],
        state=StepState(row["state"]),
        exit_code=row["exit_code"],
        outputs=row["outputs"],
        error=row["error"],
        code=row["code"],
        attempts=row["attempts"],
        round=row["round"],
        completion=row["completion"],
        approval_id=row["approval_id"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )


def attempt_from(row: Mapping[str, Any]) -> Attempt:
    """A row of `step_attempts`."""
    return Attempt(
        id=row["id"],
        step=row["step"],
        phase=Phase(row["phase"]),
        number=row["number"],
        round=row["round"],
        try_number=row["try_number"],
        state=AttemptState(row["state"]),
        token=row["token"],
        worker_id=row["worker_id"],
        exit_code=row["exit_code"],
        outputs=row["outputs"],
        error=row["error"],
        code=row["code"],
        isolation=row["isolation"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )
