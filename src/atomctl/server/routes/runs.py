"""`/runs`: request, follow, and change the course of runs."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from atomctl.access.permissions import Resource
from atomctl.db.session import Connection
from atomctl.registry import service as registry
from atomctl.registry.model import Coordinates
from atomctl.runs import service as runs
from atomctl.runs.model import Run, RunState
from atomctl.runs.service import RunRequest
from atomctl.server.acting import CallerOf
from atomctl.server.changing import Answer, ChangeOf
from atomctl.server.documents.base import Place
from atomctl.server.documents.runs import (
    CancelBody,
    PlanDocument,
    RerunBody,
    ResolveBody,
    RunBody,
    RunDocument,
    RunPage,
    RunSummary,
)
from atomctl.server.pages import PagingOf
from atomctl.server.waiting import LONGEST, wait_until

router = APIRouter(prefix="/runs", tags=["runs"])

Wait = Annotated[float, Query(ge=0, le=LONGEST, description="Seconds to wait for a change.")]


@router.post("", status_code=202, response_model=RunDocument | PlanDocument, responses={200: {"model": PlanDocument}})
def request_run(change: ChangeOf, body: RunBody) -> Response:
    """Requests a run (202), or with `dry_run` plans one and stops (200)."""
    actor, services = change.caller.actor, change.caller.services

    def do(conn: Connection) -> Answer:
        record = (
            registry.show(conn, actor.tenant_id, Coordinates(body.workflow, body.version))
            if body.version
            else registry.newest(conn, actor.tenant_id, body.workflow)
        )
        request = RunRequest(
            package_id=record.id,
            parameters=body.parameters,
            environment=services.settings.environment,
            reason=body.reason or "",
            dry_run=body.dry_run,
        )
        run = runs.request_run(conn, services.objects, actor, request, services.abilities)
        return Answer(_plan(conn, run)) if body.dry_run else Answer(_whole(conn, run), 202)

    return change.once(do)


@router.get("")
def list_runs(
    caller: CallerOf, paging: PagingOf, state: RunState | None = None, workflow: str | None = None
) -> RunPage:
    """Runs, the newest first."""
    with caller.reading(Resource.RUN) as conn:
        found = runs.list_runs(
            conn, caller.actor.tenant_id, workflow=workflow, state=state, after=paging.key(UUID), limit=paging.fetch
        )
    page, following = paging.cut(found, lambda run: run.id)
    return RunPage(items=[RunSummary.of(run) for run in page], next=following)


@router.get("/{run_id}")
def show_run(caller: CallerOf, run_id: UUID, wait: Wait = 0, unless: RunState | None = None) -> RunDocument:
    """One run with its steps. With `wait`, answers once its state is another than `unless`, or the wait is over."""

    def look() -> RunDocument:
        with caller.reading(Resource.RUN) as conn:
            return _whole(conn, runs.get(conn, caller.actor.tenant_id, run_id))

    return wait_until(look, lambda run: run.state != unless, wait)


@router.get("/{run_id}/plan")
def show_plan(caller: CallerOf, run_id: UUID) -> PlanDocument:
    """What the run does, and what it was decided to need."""
    with caller.reading(Resource.RUN) as conn:
        return _plan(conn, runs.get(conn, caller.actor.tenant_id, run_id))


@router.post("/{run_id}/cancel", status_code=202, response_model=RunDocument)
def cancel(change: ChangeOf, run_id: UUID, body: CancelBody) -> Response:
    """Cancels a run: its step is asked to end, then killed."""
    actor = change.caller.actor
    return change.once(lambda conn: Answer(_whole(conn, runs.cancel(conn, actor, run_id, body.reason or "")), 202))


@router.post("/{run_id}/resolve", response_model=RunDocument)
def resolve(change: ChangeOf, run_id: UUID, body: ResolveBody) -> Response:
    """Says what became of a step whose outcome nobody recorded."""
    actor = change.caller.actor
    return change.once(
        lambda conn: _whole(conn, runs.resolve(conn, actor, run_id, body.step, body.answer, reason=body.reason))
    )


@router.post("/{run_id}/resume", response_model=RunDocument)
def resume(change: ChangeOf, run_id: UUID) -> Response:
    """Lets a run go on; what ended well is not done again."""
    actor = change.caller.actor
    return change.once(lambda conn: _whole(conn, runs.resume(conn, actor, run_id)))


@router.post("/{run_id}/rerun", status_code=202, response_model=RunDocument)
def rerun(change: ChangeOf, run_id: UUID, body: RerunBody) -> Response:
    """Requests a new run like this one, linked to it."""
    actor, services = change.caller.actor, change.caller.services

    def do(conn: Connection) -> Answer:
        run = runs.rerun(conn, services.objects, actor, run_id, from_step=body.from_step, abilities=services.abilities)
        return Answer(_whole(conn, run), 202)

    return change.once(do)


def _whole(conn: Connection, run: Run) -> RunDocument:
    steps = runs.steps_of(conn, run.tenant_id, run.id)
    _, decision = runs.documents_of(conn, run.tenant_id, run.id)
    every = [*steps.forward.values(), *steps.rollback.values()]
    return RunDocument.whole(run, every, runs.attempts_of(conn, run.tenant_id, run.id), decision)


def _plan(conn: Connection, run: Run) -> PlanDocument:
    plan, decision = runs.documents_of(conn, run.tenant_id, run.id)
    votes = (decision.get("approval") or {}).get("votes", [])
    places = [Place(role=place["role"], count=place["count"]) for place in votes]
    return PlanDocument(
        run_id=run.id,
        plan=plan,
        digest=run.plan_digest,
        preview=runs.preview_of(conn, run.tenant_id, run.id),
        preview_digest=run.preview_digest,
        decision=decision,
        approvals_needed=places,
    )
