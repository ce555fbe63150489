"""Reading runs, steps and attempts of one tenant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from atomctl.db import queries
from atomctl.errors import AtomError
from atomctl.runs import codes
from atomctl.runs.model import Attempt, Phase, Run, Step
from atomctl.runs.rows import attempt_from, run_from, step_from

Connection = psycopg.Connection[dict[str, Any]]

_sql = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Steps:
    """All steps of a run, by phase and name, in the order of the plan."""

    forward: Mapping[str, Step]
    rollback: Mapping[str, Step]

    def of(self, phase: Phase) -> Mapping[str, Step]:
        """The steps of one phase."""
        return self.forward if phase is Phase.FORWARD else self.rollback


def run_of(conn: Connection, tenant_id: UUID, run_id: UUID) -> Run:
    """The run.

    Raises:
        AtomError: RUN601 the tenant has no such run.
    """
    return run_from(_found(_sql.run(conn, tenant_id=tenant_id, id=run_id), run_id))


def locked_run(conn: Connection, tenant_id: UUID, run_id: UUID) -> Run:
    """The run, which nobody else can change until the transaction ends.

    Raises:
        AtomError: RUN601 the tenant has no such run.
    """
    return run_from(_found(_sql.lock_run(conn, tenant_id=tenant_id, id=run_id), run_id))


def documents_of(conn: Connection, tenant_id: UUID, run_id: UUID) -> tuple[dict[str, Any], dict[str, Any]]:
    """The run's plan and decision, as they were stored.

    Raises:
        AtomError: RUN601 the tenant has no such run.
    """
    row = _found(_sql.plan(conn, tenant_id=tenant_id, run_id=run_id), run_id)
    return row["plan"], row["decision"]


def preview_of(conn: Connection, tenant_id: UUID, run_id: UUID) -> dict[str, Any] | None:
    """What the cluster said the run would do, as it was stored; None if it does nothing to a cluster.

    Raises:
        AtomError: RUN601 the tenant has no such run.
    """
    preview: dict[str, Any] | None = _found(_sql.plan(conn, tenant_id=tenant_id, run_id=run_id), run_id)["preview"]
    return preview


def steps_of(conn: Connection, tenant_id: UUID, run_id: UUID) -> Steps:
    """The run's steps as they stand."""
    steps = [step_from(row) for row in _sql.steps(conn, tenant_id=tenant_id, run_id=run_id)]
    return Steps(
        {step.name: step for step in steps if step.phase is Phase.FORWARD},
        {step.name: step for step in steps if step.phase is Phase.ROLLBACK},
    )


def attempts_of(conn: Connection, tenant_id: UUID, run_id: UUID) -> list[Attempt]:
    """Every attempt of the run, in the order in which they began."""
    return [attempt_from(row) for row in _sql.attempts(conn, tenant_id=tenant_id, run_id=run_id)]


def latest_attempt(conn: Connection, run: Run, step: Step, try_number: int) -> Attempt | None:
    """The newest attempt of this try in the step's present round."""
    row = _sql.latest_attempt(
        conn,
        tenant_id=run.tenant_id,
        run_id=run.id,
        phase=step.phase,
        step=step.name,
        round=step.round,
        try_number=try_number,
    )
    return None if row is None else attempt_from(row)


def _found(row: dict[str, Any] | None, run_id: UUID) -> dict[str, Any]:
    if row is None:
        raise AtomError(codes.NOT_FOUND, f"no run {run_id}")
    return row
