"""Steps that wait for people: an `approval` handler ends the segment, the deciding vote makes the next one ready."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import psycopg

from atomctl.access.model import Actor
from atomctl.approvals import service as approvals
from atomctl.approvals.model import SubjectKind
from atomctl.canonical import Json, digest_json
from atomctl.policy.votes import VoteRequirement
from atomctl.registry.rows import authors_of, find_package
from atomctl.runs import segments
from atomctl.runs.gate import bound_digests
from atomctl.runs.model import Claim, Run, RunState, Step, StepState
from atomctl.runs.read import steps_of
from atomctl.runs.transition import Cause, StepChange, move_run, move_step, start_step

Connection = psycopg.Connection[dict[str, Any]]


def ask_for_approval(
    conn: Connection, claim: Claim, run: Run, step: Step, *, config: Mapping[str, Json], lifetime: timedelta
) -> None:
    """The run is AWAITING_APPROVAL of this step, bound to the run's digests; the segment is done.

    `config` is the handler's, rendered; `lifetime` is how long people have to vote.
    """
    start_step(conn, run, step, {})
    waiting = steps_of(conn, run.tenant_id, run.id).forward[step.name]
    approval = approvals.request(
        conn,
        requester_of(run),
        subject_kind=SubjectKind.RUN,
        subject_digest=digest_json({"run": str(run.id), "step": step.name, "plan": run.plan_digest}),
        subject_ref=run.id,
        bound=bound_digests(run),
        requirement=requirement_of(config),
        excluded=authors_of(conn, find_package(conn, run.tenant_id, run.package_id)),
        reason=str(config["message"]),
        lifetime=lifetime,
    )
    change = StepChange(after=StepState.RUNNING, approval_id=approval.id, detail={"approval": str(approval.id)})
    move_step(conn, run, waiting, change)
    move_run(conn, run, RunState.AWAITING_APPROVAL, Cause(why=f"step {step.name} waits for an approval"))
    segments.close(conn, claim.segment)


def requirement_of(config: Mapping[str, Json]) -> tuple[VoteRequirement, ...]:
    """The votes an approval handler demands: one of each role it names, and as many others as make up its `votes`."""
    given, votes = config.get("roles", []), config.get("votes", 1)
    assert isinstance(given, list)
    assert isinstance(votes, int)
    roles = [str(role) for role in given]
    others = votes - len(roles)
    named = tuple(VoteRequirement(role, 1) for role in roles)
    return (*named, VoteRequirement(None, others)) if others > 0 else named


def requester_of(run: Run) -> Actor:
    """Who asked for the run, for requests the system makes in their name; it grants nothing."""
    return Actor(run.tenant_id, run.requested_by, "", "", frozenset())
