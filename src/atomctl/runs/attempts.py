"""The rows of step attempts: written twice, when one starts and when it ends, and never changed after that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from atomctl.db import queries
from atomctl.runs.follow import attempt_after
from atomctl.runs.model import AttemptState, Claim, Step
from atomctl.runs.steps.model import StepResult

Connection = psycopg.Connection[dict[str, Any]]

_sql: Any = queries.load(__file__)


def start(conn: Connection, claim: Claim, step: Step, attempt_id: UUID, try_number: int) -> None:
    """The attempt is recorded as begun, under the token of the claim."""
    _sql.insert_attempt(
        conn,
        tenant_id=claim.segment.tenant_id,
        id=attempt_id,
        run_id=claim.segment.run_id,
        phase=step.phase,
        step=step.name,
        number=step.attempts + 1,
        round=step.round,
        try_number=try_number,
        segment=claim.segment.number,
        token=claim.token,
        worker_id=claim.worker_id,
    )


def end(conn: Connection, tenant_id: UUID, attempt_id: UUID, result: StepResult) -> bool:
    """The attempt has its result; False if it had ended before, and nothing changed."""
    changed: int = _sql.end_attempt(
        conn,
        tenant_id=tenant_id,
        id=attempt_id,
        after=attempt_after(result.outcome),
        exit_code=result.exit_code,
        outputs=Jsonb(dict(result.outputs)),
        error=result.error,
        code=result.code.id if result.code else None,
        isolation=result.isolation.value,
    )
    return changed == 1


def lose(conn: Connection, tenant_id: UUID, attempt_id: UUID) -> None:
    """The attempt is recorded as lost: nobody will ever say how it ended."""
    _sql.end_attempt(
        conn,
        tenant_id=tenant_id,
        id=attempt_id,
        after=AttemptState.LOST,
        exit_code=None,
        outputs=Jsonb({}),
        error="its worker ended before a result was recorded",
        code=None,
        isolation=None,
    )
