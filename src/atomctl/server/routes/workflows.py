"""`/workflows`: names with versions."""

from __future__ import annotations

from fastapi import APIRouter

from atomctl.access.permissions import Resource
from atomctl.registry import service as registry
from atomctl.server.acting import CallerOf
from atomctl.server.documents.packages import PackageSummary, WorkflowDocument, WorkflowPage, WorkflowSummary
from atomctl.server.pages import LARGEST, PagingOf

router = APIRouter(prefix="/workflows", tags=["workflows"])


@router.get("")
def list_workflows(caller: CallerOf, paging: PagingOf) -> WorkflowPage:
    """The workflows of your tenant, by name."""
    with caller.reading(Resource.WORKFLOW) as conn:
        found = registry.list_workflows(conn, caller.actor.tenant_id, after=paging.key(str), limit=paging.fetch)
    page, following = paging.cut(found, lambda workflow: workflow.name)
    return WorkflowPage(items=[WorkflowSummary.of(workflow) for workflow in page], next=following)


@router.get("/{name}")
def show_workflow(caller: CallerOf, name: str) -> WorkflowDocument:
    """One workflow with its newest versions."""
    tenant_id = caller.actor.tenant_id
    with caller.reading(Resource.WORKFLOW) as conn:
        workflow = registry.show_workflow(conn, tenant_id, name)
        records = registry.list_packages(conn, tenant_id, name=name, limit=LARGEST)
    summary = WorkflowSummary.of(workflow)
    return WorkflowDocument(**summary.model_dump(), packages=[PackageSummary.of(record) for record in records])
