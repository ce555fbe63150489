"""The record of what a run's steps did to the objects of a cluster: before each change, and when its attempt ends."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from atomctl.canonical import Digest, Json
from atomctl.db import queries
from atomctl.kubernetes.codes import OUTCOME_UNKNOWN
from atomctl.runs.context import WorkerContext
from atomctl.runs.model import Claim, Phase, Run
from atomctl.runs.read import run_of
from atomctl.runs.segments import held_run
from atomctl.runs.steps.kubernetes.model import ObjectChange
from atomctl.runs.steps.model import StepResult

Connection = psycopg.Connection[dict[str, Any]]

_sql: Any = queries.load(__file__)


class AttemptLedger:
    """The ledger of one attempt; each intent is a transaction of its own, under the claim of its segment."""

    def __init__(self, context: WorkerContext, claim: Claim, phase: Phase, attempt_id: UUID) -> None:
        self._context = context
        self._claim = claim
        self._phase = phase
        self._attempt_id = attempt_id

    def intend(self, change: ObjectChange) -> None:
        """The change is on record; only now it may be made.

        Raises:
            LetGo: the segment belongs to somebody else by now, who decides what becomes of the step.
            AtomError: DBA001 the database stayed away.
        """

        def write() -> None:
            with self._context.sessions.tenant(self._claim.segment.tenant_id) as conn:
                run = held_run(conn, self._claim)
                _sql.intend_object(
                    conn,
                    **_key(run.tenant_id, self._attempt_id, change),
                    run_id=run.id,
                    phase=self._phase,
                    step=change.step,
                    kept=change.kept,
                    before_object=_document(change.before),
                    after_object=_document(change.after),
                    before_digest=change.before_digest,
                    after_digest=change.after_digest,
                )

        self._context.patiently(write)


def settle(conn: Connection, tenant_id: UUID, attempt_id: UUID, result: StepResult) -> None:
    """The attempt's intents have become what its result says.

    What was intended and not made counts as refused, unless the failure was one after which nobody knows.
    """
    for change in result.changes:
        _sql.make_object(
            conn,
            **_key(tenant_id, attempt_id, change),
            after_object=_document(change.after),
            after_digest=change.after_digest,
        )
    if result.code not in OUTCOME_UNKNOWN:
        _sql.refuse_objects(conn, tenant_id=tenant_id, attempt_id=attempt_id)


def changes_of(conn: Connection, run: Run) -> tuple[ObjectChange, ...]:
    """What the run's steps changed, or may have changed, in the order they set out to."""
    return tuple(_change_from(row) for row in _sql.objects_of_run(conn, tenant_id=run.tenant_id, run_id=run.id))


def changes_behind(conn: Connection, run: Run, carried: Container[str]) -> tuple[ObjectChange, ...]:
    """What earlier runs changed with the steps that `run` carries on from them and does not repeat, oldest first."""
    found: tuple[ObjectChange, ...] = ()
    while run.rerun_of is not None:
        run = run_of(conn, run.tenant_id, run.rerun_of)
        found = (*(change for change in changes_of(conn, run) if change.step in carried), *found)
    return found


def approved_of(conn: Connection, run: Run, step: str) -> tuple[dict[str, Json], ...] | None:
    """The objects of the step's preview, as they were approved; None if nothing could be said beforehand."""
    row = _sql.plan(conn, tenant_id=run.tenant_id, run_id=run.id)
    preview: Mapping[str, Any] = (row and row["preview"]) or {}
    entry = next((entry for entry in preview.get("steps", ()) if entry["step"] == step), None)
    return tuple(entry["objects"]) if entry is not None and entry["objects"] is not None else None


def _key(tenant_id: UUID, attempt_id: UUID, change: ObjectChange) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "attempt_id": attempt_id,
        "action": change.action,
        "api_version": change.api_version,
        "kind": change.kind,
        "namespace": change.namespace or "",
        "name": change.name,
    }


def _document(item: Mapping[str, Json] | None) -> Jsonb | None:
    return None if item is None else Jsonb(dict(item))


def _change_from(row: Mapping[str, Any]) -> ObjectChange:
    return ObjectChange(
        step=row["step"],
        action=row["action"],
        kind=row["kind"],
        api_version=row["api_version"],
        namespace=row["namespace"] or None,
        name=row["name"],
        before_digest=Digest(row["before_digest"]) if row["before_digest"] else None,
        after_digest=Digest(row["after_digest"]) if row["after_digest"] else None,
        kept=row["kept"],
        before=row["before_object"],
        after=row["after_object"],
    )
