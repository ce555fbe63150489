"""`/runs/{run}/logs`: the log of a run, live by long poll."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from atomctl.access.permissions import Resource
from atomctl.runs import service as runs
from atomctl.runs.logs import Position
from atomctl.server.acting import CallerOf
from atomctl.server.documents.runs import LogDocument
from atomctl.server.log_lines import lines_of, offset_of, position_of
from atomctl.server.waiting import LONGEST, wait_until

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("/{run_id}/logs")
def read_log(
    caller: CallerOf,
    run_id: UUID,
    offset: Annotated[int, Query(ge=0, lt=2**53, description="A `next_offset`; 0 is the beginning.")] = 0,
    wait: Annotated[float, Query(ge=0, le=LONGEST, description="Seconds to wait for a line.")] = 0,
    step: Annotated[str | None, Query(description="Only this step's lines.")] = None,
) -> LogDocument:
    """Whole lines from `offset` on, about a mebibyte at a time. With `wait`, answers once there are any."""

    def look() -> LogDocument:
        start: Position = position_of(offset)
        with caller.reading(Resource.RUN) as conn:
            page = runs.log_lines(conn, caller.services.objects, caller.actor.tenant_id, run_id, str(start))
        lines, after = lines_of(page, start)
        kept = [line for line in lines if step is None or line.step == step]
        return LogDocument(items=kept, next_offset=offset_of(after), ended=page.ended)

    return wait_until(look, lambda log: bool(log.items) or log.ended, wait)
