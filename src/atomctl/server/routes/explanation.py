"""`/runs/{run}/explanation`: what happened to a run, put together for a person."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request

from atomctl.explanation.explainer import Explainer
from atomctl.server.acting import CallerOf
from atomctl.server.documents.explanation import ExplanationDocument

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("/{run_id}/explanation")
def show_explanation(request: Request, caller: CallerOf, run_id: UUID) -> ExplanationDocument:
    """What failed, with the end of its log, what changed since the last success, similar failures, what to do next."""
    explainer = Explainer(caller.actor, caller.transaction, request.app.state.meaning, caller.services.objects)
    return ExplanationDocument.of(explainer.explain(run_id))
