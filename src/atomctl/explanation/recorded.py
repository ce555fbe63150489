"""Reads what is recorded of a run and may explain how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.explanation.comparing import Facts, compare
from atomctl.explanation.images import images_of
from atomctl.explanation.model import Aspect, SinceSuccess
from atomctl.runs import service as runs
from atomctl.runs.model import Attempt, Run

LOOK_BACK = 5_000
"""Runs of the workflow among which a success is looked for."""
_OBJECTS = 200
"""Objects of a cluster whose images are compared."""

_sql: Any = queries.load(__file__)


def since_success(conn: Connection, run: Run, attempts: Sequence[Attempt]) -> SinceSuccess | None:
    """What differs from the newest success of the workflow before the run; None if there is none within `LOOK_BACK`."""
    found: UUID | None = _sql.last_success(
        conn, tenant_id=run.tenant_id, workflow=run.workflow, run_id=run.id, count=LOOK_BACK
    )
    if found is None:
        return None
    success = runs.get(conn, run.tenant_id, found)
    before = _facts(conn, success, runs.attempts_of(conn, run.tenant_id, found))
    assert success.ended_at is not None, "a success has ended"
    return SinceSuccess(found, success.ended_at, compare(before, _facts(conn, run, attempts)))


def _facts(conn: Connection, run: Run, attempts: Sequence[Attempt]) -> Facts:
    decided = _sql.decided(conn, tenant_id=run.tenant_id, package_id=run.package_id) or {}
    single = {
        Aspect.VERSION: run.version,
        Aspect.PACKAGE: run.package_digest,
        Aspect.DECISION: _decision(conn, run),
        Aspect.ENVIRONMENT: run.environment,
        **_digests(decided.get("digests") or {}),
        **_places(conn, attempts),
    }
    named: dict[Aspect, dict[str, Json]] = {Aspect.PARAMETERS: dict(run.parameters)}
    if images := _images(conn, run, decided.get("image")):
        named[Aspect.IMAGES] = images
    return Facts(single, named)


def _decision(conn: Connection, run: Run) -> str:
    row = _sql.decision_of(conn, tenant_id=run.tenant_id, run_id=run.id) or {}
    said = ", ".join(row[key] for key in ("outcome", "category") if row.get(key))
    return f"{said} ({run.policy_digest})" if said else run.policy_digest


def _digests(digests: Mapping[str, Any]) -> dict[Aspect, str]:
    return {aspect: digests[aspect.value] for aspect in (Aspect.RULES, Aspect.POLICY) if digests.get(aspect.value)}


def _images(conn: Connection, run: Run, own: str | None) -> dict[str, Json]:
    rows = _sql.objects_left(conn, tenant_id=run.tenant_id, run_id=run.id, count=_OBJECTS)
    found: dict[str, Json] = dict(images_of(row["object"] for row in rows))
    return found if own is None else {"Jobs of the package": own, **found}


def _places(conn: Connection, attempts: Sequence[Attempt]) -> dict[Aspect, str]:
    """Where it ran. Nothing of it is recorded of a run none of whose steps was tried."""
    workers = list(_sql.workers_of(conn, ids=sorted({attempt.worker_id for attempt in attempts})))
    found = {
        Aspect.ISOLATION: sorted({attempt.isolation for attempt in attempts if attempt.isolation}),
        Aspect.PRODUCT: sorted({row["version"] for row in workers}),
        Aspect.WORKER: sorted({row["host"] for row in workers}),
    }
    return {aspect: ", ".join(values) for aspect, values in found.items() if values}
