"""What is checked before anything of a run executes: package, signature, decision, and what was approved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import psycopg

from atomctl.approvals.model import State, SubjectKind
from atomctl.approvals.rows import read_approval
from atomctl.canonical import Digest, digest_json
from atomctl.errors import AtomError
from atomctl.objects.model import ObjectStore
from atomctl.policy.assessment import assess
from atomctl.policy.decision import Decision, Outcome
from atomctl.policy.votes import VoteRequirement
from atomctl.registry import packages as registry
from atomctl.registry.lifting import standing
from atomctl.registry.model import PackageRecord
from atomctl.registry.rows import find_package
from atomctl.runs import codes
from atomctl.runs.model import Run
from atomctl.runs.plan import Abilities, Plan, make_plan
from atomctl.wpk.archive import Package

Connection = psycopg.Connection[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Material:
    """What a run is executed from: the package, whose bytes have the recorded digest, and the plan made from it."""

    package: Package
    plan: Plan


@dataclass(frozen=True, slots=True)
class Demand:
    """What the decision about a package demands of a run of it now.

    An override lifts a block to the next strictest row of the matrix, never to less.
    """

    decision: Decision
    blocked: bool
    votes: tuple[VoteRequirement, ...]

    @property
    def digest(self) -> Digest:
        """What approvals bind to as `policy`."""
        return digest_json(self.decision.to_json())


def demand_of(conn: Connection, record: PackageRecord, package: Package) -> Demand:
    """The decision about the package as today's rules and policies make it, and what lifts it.

    An override lifts the block that people looked at; one that is decided for other reasons today, it does not.
    """
    now = datetime.now(UTC)
    decision = assess(package, environment=record.environment, today=now.date()).decision
    match decision.outcome:
        case Outcome.ALLOW:
            return Demand(decision, blocked=False, votes=())
        case Outcome.REQUIRE_APPROVAL:
            return Demand(decision, blocked=False, votes=decision.votes)
        case Outcome.BLOCK:
            same = digest_json(decision.to_json()) == record.decision_digest
            lifted = same and standing(conn, record, SubjectKind.OVERRIDE, now) is not None
            return Demand(decision, blocked=not lifted, votes=decision.votes if lifted else ())


def load_material(conn: Connection, objects: ObjectStore, run: Run, abilities: Abilities) -> Material:
    """The run's package and plan.

    Raises:
        AtomError: RUN603 the bytes in the object store are not the published ones, or are gone; RUN607 the plan made
            from them is not the recorded one.
    """
    try:
        record, package = registry.load_package(conn, objects, run.tenant_id, run.package_id)
    except AtomError as error:
        raise _not_runnable(error) from error
    if record.digest != run.package_digest:
        raise AtomError(codes.PACKAGE_NOT_RUNNABLE, f"its digest is {record.digest}, the run's is {run.package_digest}")
    plan = make_plan(package.manifest, record.digest, run.parameters, abilities)
    if plan.digest != run.plan_digest:
        raise AtomError(codes.PLAN_CHANGED, f"the plan is {plan.digest} now, {run.plan_digest} was recorded")
    return Material(package, plan)


def require_usable(conn: Connection, record: PackageRecord, environment: str) -> None:
    """Returns if the package is not yanked and its signature is accepted by the rules and keys of this moment.

    Raises:
        AtomError: RUN603 it is not.
    """
    try:
        verdict = registry.verify_now(conn, record.tenant_id, record, environment=environment)
        verdict.raise_if_refused()
    except AtomError as error:
        raise _not_runnable(error) from error


def require_runnable(conn: Connection, run: Run, package: Package) -> None:
    """Returns if the package may still run, and what was approved is what will run.

    Raises:
        AtomError: RUN603 yanked, or its signature is not accepted any more; RUN604 it is decided `block` now; RUN607
            the decision has changed, or the approval is about other digests or does not stand.
    """
    record = find_package(conn, run.tenant_id, run.package_id)
    require_usable(conn, record, run.environment)
    demand = demand_of(conn, record, package)
    if demand.blocked:
        raise AtomError(codes.BLOCKED, "the package is decided `block`, and no override is in force")
    if demand.digest != run.policy_digest:
        raise AtomError(codes.PLAN_CHANGED, f"the decision is {demand.digest} now, {run.policy_digest} was recorded")
    if demand.votes or run.approval_id is not None:
        _require_approved(conn, run)


def bound_digests(run: Run) -> dict[str, Digest]:
    """What an approval of this run is bound to."""
    return {
        "package": run.package_digest,
        "parameters": run.parameters_digest,
        "plan": run.plan_digest,
        "policy": run.policy_digest,
        **({"preview": run.preview_digest} if run.preview_digest is not None else {}),
    }


def _require_approved(conn: Connection, run: Run) -> None:
    if run.approval_id is None:
        raise AtomError(codes.PLAN_CHANGED, "the decision demands votes, and nobody was asked")
    approval = read_approval(conn, run.tenant_id, run.approval_id)
    if approval.state is not State.APPROVED:
        raise AtomError(codes.PLAN_CHANGED, f"the approval is {approval.state}")
    changed = [name for name, digest in bound_digests(run).items() if approval.bound.get(name) != digest]
    if changed:
        raise AtomError(codes.PLAN_CHANGED, f"approved with another {', '.join(changed)}")


def _not_runnable(error: AtomError) -> AtomError:
    """The refusal with its own code inside; what may succeed later stays what it is."""
    if error.code.retryable:
        return error
    return AtomError(codes.PACKAGE_NOT_RUNNABLE, f"{error.code.id}: {error.why}", hint=error.hint)
