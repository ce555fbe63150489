"""Asking for a run: plan it, decide about it, and leave it blocked, waiting for votes, or ready for a worker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from psycopg.types.json import Jsonb

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.approvals import service as approvals
from atomctl.approvals.model import SubjectKind
from atomctl.approvals.rows import read_approval
from atomctl.approvals.states import counts_for
from atomctl.audit.model import Entry
from atomctl.audit.record import record as record_entry
from atomctl.canonical import Json, digest_json
from atomctl.db import queries
from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore
from atomctl.registry import packages as registry
from atomctl.registry.model import PackageRecord
from atomctl.registry.rows import authors_of, find_package
from atomctl.runs import codes, segments
from atomctl.runs.gate import Demand, bound_digests, demand_of, require_usable
from atomctl.runs.model import Origin, Phase, Run, RunState, StepState
from atomctl.runs.plan import Abilities, Plan, make_plan
from atomctl.runs.read import locked_run
from atomctl.runs.refusals import RunRefusedError
from atomctl.runs.rows import run_from
from atomctl.runs.secret_names import require_store
from atomctl.runs.transition import Cause, move_run
from atomctl.wpk import parameters as wpk_parameters
from atomctl.wpk.model import Manifest

if TYPE_CHECKING:
    from atomctl.runs.steps.kubernetes.preview import Preview
    from atomctl.wpk.archive import Package

Connection = psycopg.Connection[dict[str, Any]]

_sql = queries.load(__file__)

APPROVAL_LIFETIME = timedelta(hours=24)
DRY_RUN_VALID = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRequest:
    """What somebody asks for.

    `carried` are outputs of steps that an earlier run has done and this one does not repeat.
    """

    package_id: UUID
    parameters: Mapping[str, Json]
    environment: str
    reason: str = ""
    """Why, in the words of who asks: for approvers and auditors."""
    dry_run: bool = False
    idempotency_key: str | None = None
    rerun_of: UUID | None = None
    approval_id: UUID | None = None
    """An approval of an earlier run, which counts for this one as `counts_for` says."""
    carried: Mapping[str, Mapping[str, Json]] | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request with everything that was found out about it."""

    conn: Connection
    actor: Actor
    request: RunRequest
    record: PackageRecord
    manifest: Manifest
    plan: Plan
    demand: Demand
    run_id: UUID
    preview: Preview | None


def request_run(
    conn: Connection, objects: ObjectStore, actor: Actor, request: RunRequest, abilities: Abilities | None = None
) -> Run:
    """The run that was asked for, in one of BLOCKED, AWAITING_APPROVAL, QUEUED, or SUCCEEDED for a dry run.

    With an idempotency key that was used before, the run of then is returned and nothing changes.

    Raises:
        AtomError: AUT020 may not start (or plan) runs; REG401 no such package; an outage, which may pass.
        RunRefusedError: RUN603 the package may not run; OBJ003, REG413 its bytes are gone or were swapped; WPK121 the
            parameters are not accepted; SEC001 it reads secrets and no store is configured, SEC002, SEC003 a secret's
            path is none or not the tenant's; RUN605 a dry run must come first; RUN606 a step cannot be executed here;
            RUN608, RUN609 no plan; KUB001 to KUB030 the cluster would refuse a step; RUN617 the idempotency
            key belongs to another request.
    """
    require(actor, Verb.PLAN if request.dry_run else Verb.START, Resource.RUN)
    record = find_package(conn, actor.tenant_id, request.package_id)
    try:
        return _request(conn, objects, actor, request, abilities or Abilities())
    except AtomError as error:
        if error.code.retryable:
            raise
        raise RunRefusedError(error, record.coordinates, record.digest, dry_run=request.dry_run) from error


def _request(conn: Connection, objects: ObjectStore, actor: Actor, request: RunRequest, abilities: Abilities) -> Run:
    record, package = registry.load_package(conn, objects, actor.tenant_id, request.package_id)
    parameters = wpk_parameters.apply(package.manifest, request.parameters)
    if earlier := _earlier(conn, actor, request, parameters):
        return earlier
    require_usable(conn, record, request.environment)
    require_store(package.manifest.secrets, actor.tenant_id, abilities.secrets)
    plan = make_plan(package.manifest, record.digest, parameters, abilities)
    demand = demand_of(conn, record, package)
    run_id = new_id()
    preview = None if demand.blocked else _ask_cluster(abilities, package, plan, run_id)
    asked = _Asked(conn, actor, request, record, package.manifest, plan, demand, run_id, preview)
    run = _receive(asked)
    _settle(asked, run)
    return locked_run(conn, run.tenant_id, run.id)


def _ask_cluster(abilities: Abilities, package: Package, plan: Plan, run_id: UUID) -> Preview | None:
    """What the cluster says the run would do, if it has k8s steps and is permitted all of them."""
    if abilities.cluster is None:
        return None
    abilities.cluster.require_permissions(package.manifest, plan)
    return abilities.cluster.preview(package, plan, run_id)


def _earlier(conn: Connection, actor: Actor, request: RunRequest, parameters: Mapping[str, Json]) -> Run | None:
    """The run of an earlier request with the same key; of two at the same time, the second waits here."""
    if request.idempotency_key is None:
        return None
    _sql.lock_key(conn, key=f"{actor.tenant_id}/{request.idempotency_key}")
    row = _sql.run_by_key(conn, tenant_id=actor.tenant_id, idempotency_key=request.idempotency_key)
    if row is None:
        return None
    run = run_from(row)
    then = (run.package_id, run.parameters_digest, run.environment, run.dry_run, run.requested_by)
    asked = (request.package_id, digest_json(dict(parameters)), request.environment, request.dry_run)
    if then != (*asked, actor.principal_id):
        raise AtomError(codes.REPEATED_REQUEST, f"the key was used for run {run.id}")
    return run


def _receive(asked: _Asked) -> Run:
    """The run and its steps are recorded, and the run is PLANNING."""
    conn, record, plan = asked.conn, asked.record, asked.plan
    row = _sql.insert_run(
        conn,
        tenant_id=asked.actor.tenant_id,
        id=asked.run_id,
        package_id=record.id,
        workflow=record.name,
        version=record.version,
        package_digest=record.digest,
        parameters=Jsonb(dict(plan.parameters)),
        parameters_digest=digest_json(dict(plan.parameters)),
        plan_digest=plan.digest,
        policy_digest=asked.demand.digest,
        preview_digest=asked.preview.digest if asked.preview else None,
        dry_run=asked.request.dry_run,
        environment=asked.request.environment,
        origin=Origin.PERSON if asked.request.rerun_of is None else Origin.RERUN,
        rerun_of=asked.request.rerun_of,
        requested_by=asked.actor.principal_id,
        idempotency_key=asked.request.idempotency_key,
    )
    run = run_from(row)
    record_entry(conn, run.tenant_id, _received(run, asked.request.reason))
    decision = Jsonb(asked.demand.decision.to_json())
    _sql.insert_plan(
        conn,
        tenant_id=run.tenant_id,
        run_id=run.id,
        plan=Jsonb(plan.to_json()),
        decision=decision,
        preview=Jsonb(asked.preview.document) if asked.preview else None,
    )
    steps = _step_rows(plan, asked.request.carried or {})
    _sql.insert_steps(conn, tenant_id=run.tenant_id, run_id=run.id, steps=Jsonb(steps))
    move_run(conn, run, RunState.PLANNING, Cause(actor=asked.actor.principal_id))
    return locked_run(conn, run.tenant_id, run.id)


def _settle(asked: _Asked, run: Run) -> None:
    """What follows the plan: the end of a dry run, a block, votes, or work."""
    conn, demand, by = asked.conn, asked.demand, asked.actor.principal_id
    if run.dry_run:
        move_run(conn, run, RunState.SUCCEEDED, Cause(actor=by, why="dry run: planned, nothing executed"))
        return
    if demand.blocked:
        why = "; ".join(reason.why for reason in demand.decision.reasons[:5])
        move_run(conn, run, RunState.BLOCKED, Cause(actor=by, why=why, code=codes.BLOCKED))
        return
    if asked.plan.missing:
        raise AtomError(codes.STEP_NOT_RUNNABLE, "; ".join(asked.plan.missing))
    if asked.manifest.safety.dry_run_required:
        _require_dry_run(conn, run)
    if _still_approved(conn, run, asked.request.approval_id):
        _sql.set_run_approval(conn, tenant_id=run.tenant_id, id=run.id, approval_id=asked.request.approval_id)
    elif demand.votes:
        _ask_for_votes(asked, run)
        return
    move_run(conn, run, RunState.QUEUED, Cause(actor=by))
    segments.make_ready(conn, run.tenant_id, run.id)


def _still_approved(conn: Connection, run: Run, approval_id: UUID | None) -> bool:
    """Whether the approval of an earlier run counts for this one."""
    if approval_id is None:
        return False
    approval = read_approval(conn, run.tenant_id, approval_id)
    return counts_for(approval, bound_digests(run), run.requested_by, datetime.now(UTC))


def _ask_for_votes(asked: _Asked, run: Run) -> None:
    bound = bound_digests(run)
    approval = approvals.request(
        asked.conn,
        asked.actor,
        subject_kind=SubjectKind.RUN,
        subject_digest=digest_json({"run": str(run.id), **bound}),
        subject_ref=run.id,
        bound=bound,
        requirement=asked.demand.votes,
        excluded=authors_of(asked.conn, asked.record),
        reason=asked.request.reason or f"run {run.workflow}@{run.version}",
        lifetime=APPROVAL_LIFETIME,
    )
    _sql.set_run_approval(asked.conn, tenant_id=run.tenant_id, id=run.id, approval_id=approval.id)
    move_run(asked.conn, run, RunState.AWAITING_APPROVAL, Cause(actor=asked.actor.principal_id, digests=bound))


def _require_dry_run(conn: Connection, run: Run) -> None:
    found = _sql.recent_dry_run(
        conn,
        tenant_id=run.tenant_id,
        package_digest=run.package_digest,
        parameters_digest=run.parameters_digest,
        plan_digest=run.plan_digest,
        within=DRY_RUN_VALID,
    )
    if found is None:
        raise AtomError(
            codes.DRY_RUN_REQUIRED,
            f"{run.workflow}@{run.version} has had no dry run with these parameters within 24 hours",
            hint=f"atomctl run {run.workflow}@{run.version} --dry-run    # with the same parameters",
        )


def _step_rows(plan: Plan, carried: Mapping[str, Mapping[str, Json]]) -> list[dict[str, Json]]:
    rows: list[dict[str, Json]] = []
    for phase, planned in ((Phase.FORWARD, plan.steps), (Phase.ROLLBACK, plan.rollback)):
        for position, step in enumerate(planned, start=1):
            done = phase is Phase.FORWARD and step.name in carried
            rows.append(
                {
                    "phase": phase.value,
                    "name": step.name,
                    "position": position,
                    "type": step.type.value,
                    "state": (StepState.SUCCEEDED if done else StepState.PENDING).value,
                    "outputs": dict(carried[step.name]) if done else {},
                    "completion": position if done else None,
                }
            )
    return rows


def _received(run: Run, reason: str) -> Entry:
    return Entry(
        action="run.received",
        subject=f"run/{run.id}",
        actor=run.requested_by,
        digests=bound_digests(run),
        why=reason or None,
        detail={
            "workflow": run.workflow,
            "version": run.version,
            "environment": run.environment,
            "dry_run": run.dry_run,
            "origin": run.origin.value,
            "rerun_of": str(run.rerun_of) if run.rerun_of else None,
        },
    )
