"""`/runs/{run}/explanation`: what happened to a run, put together for a person."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter

from atomctl.access.permissions import Resource
from atomctl.explanation.service import explain_run
from atomctl.server.acting import CallerOf
from atomctl.server.documents.explanation import ExplanationDocument

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("/{run_id}/explanation")
def show_explanation(caller: CallerOf, run_id: UUID) -> ExplanationDocument:
    """What failed, with the end of its log, what changed since the last success, what was noticed, what to do next."""
    with caller.reading(Resource.RUN) as conn:
        return ExplanationDocument.of(explain_run(conn, caller.services.objects, caller.actor, run_id))
