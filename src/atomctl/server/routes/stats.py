"""`/stats`: the main series of your tenant, from its record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from atomctl.access.permissions import Resource
from atomctl.insight.overview import LONGEST, SHORTEST, overview
from atomctl.server.acting import CallerOf
from atomctl.server.documents.stats import StatsDocument

router = APIRouter(prefix="/stats", tags=["stats"])

Seconds = Annotated[int, Query(ge=int(SHORTEST.total_seconds()), le=int(LONGEST.total_seconds()))]


@router.get("")
def show_stats(caller: CallerOf, seconds: Seconds = 86_400) -> StatsDocument:
    """Runs, failures, step times, approvals and refused uploads of the last `seconds`, and what waits now."""
    with caller.reading(Resource.RUN) as conn:
        seen = overview(conn, caller.actor.tenant_id, now=datetime.now(UTC), length=timedelta(seconds=seconds))
    return StatsDocument.of(seen)
