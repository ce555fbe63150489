"""The tenant's trust rules: proposed by one person, put in force by another.

While a tenant has, and always had, one person with `admin` or `security`, that person's proposal takes force at once,
audited as `bootstrap`; the database refuses it in any other case. A proposal that was overtaken by other rules is void.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from psycopg.types.json import Jsonb

from atomctl.access.model import Actor
from atomctl.access.permissions import Resource, Verb, require
from atomctl.access.service import may_decide_alone
from atomctl.approvals import service as approvals
from atomctl.approvals.model import Approval, State, SubjectKind
from atomctl.audit.model import Entry
from atomctl.audit.record import record as record_entry
from atomctl.canonical import Json, digest_json
from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.policy.votes import VoteRequirement
from atomctl.registry import codes, rows
from atomctl.registry.model import RulesState, RulesVersion
from atomctl.registry.reasons import written
from atomctl.registry.rows import Connection, sql
from atomctl.trust.rules import TrustRules, parse, to_json

VOTING_TIME = timedelta(days=7)
VOTES = (VoteRequirement(None, 1),)


def propose_rules(conn: Connection, actor: Actor, document: Json, reason: str) -> RulesVersion:
    """A new version of the rules: in force at once under the bootstrap rule, else proposed, with an approval to win.

    Proposing what is in force returns that and changes nothing.

    Raises:
        AtomError: AUT020 may not propose, TRU111 malformed, REG431 they name an unknown key, REG415 no reason.
    """
    require(actor, Verb.PROPOSE, Resource.TRUST_RULES)
    why = written(reason)
    rules = parse(document)
    _require_known_keys(conn, actor.tenant_id, rules)
    # The bytes in force never depend on how the document was written down.
    normal = to_json(rules)
    sql.lock_tenant(conn, tenant_id=actor.tenant_id)
    active = sql.active_rules(conn, tenant_id=actor.tenant_id)
    if active is not None and active["digest"] == digest_json(normal):
        return rows.rules(active)
    rules_id = new_id()
    sql.insert_rules(
        conn,
        tenant_id=actor.tenant_id,
        id=rules_id,
        document=Jsonb(normal),
        digest=digest_json(normal),
        reason=why,
        proposed_by=actor.principal_id,
    )
    proposed = show_rules(conn, actor.tenant_id, rules_id)
    _audit(conn, proposed, "trust_rules.propose", actor.tenant_id, by=actor.principal_id)
    if may_decide_alone(conn, actor):
        return _activate(conn, actor.tenant_id, proposed, actor.principal_id, bootstrap=True)
    return _ask(conn, actor, proposed)


def active_rules(conn: Connection, tenant_id: UUID) -> RulesVersion:
    """The version in force.

    Raises:
        AtomError: REG430 there is none.
    """
    row = sql.active_rules(conn, tenant_id=tenant_id)
    if row is None:
        raise AtomError(codes.NO_RULES, "no version of trust rules is in force")
    return rows.rules(row)


def show_rules(conn: Connection, tenant_id: UUID, rules_id: UUID) -> RulesVersion:
    """One version, in whatever state.

    Raises:
        AtomError: REG430 the tenant has none with this id.
    """
    row = sql.rules_by_id(conn, tenant_id=tenant_id, id=rules_id)
    if row is None:
        raise AtomError(codes.NO_RULES, f"no trust rules {rules_id}")
    return rows.rules(row)


def list_rules(conn: Connection, tenant_id: UUID, *, after: int | None = None, limit: int = 50) -> list[RulesVersion]:
    """The next `limit` versions below the number `after`, newest first."""
    return [rows.rules(row) for row in sql.rules_versions(conn, tenant_id=tenant_id, after=after, limit=limit)]


def follow(conn: Connection, approval: Approval) -> None:
    """What a decided proposal leads to: in force, or rejected (also when it expired or was voided)."""
    if approval.state is State.PENDING:
        return
    proposed = show_rules(conn, approval.tenant_id, approval.subject_ref)
    if proposed.state is not RulesState.PROPOSED:
        return
    if approval.state is State.APPROVED:
        _activate(conn, approval.tenant_id, proposed, None, bootstrap=False)
    else:
        _reject(conn, approval.tenant_id, proposed, why=approval.outcome or approval.state.value)


def _ask(conn: Connection, actor: Actor, proposed: RulesVersion) -> RulesVersion:
    approval = approvals.request(
        conn,
        actor,
        subject_kind=SubjectKind.TRUST_RULES,
        subject_digest=digest_json({"kind": "trust_rules", "version": proposed.version, "rules": proposed.digest}),
        subject_ref=proposed.id,
        bound={"rules": proposed.digest},
        requirement=VOTES,
        excluded=[],
        reason=proposed.reason,
        lifetime=VOTING_TIME,
    )
    sql.ask_for_rules(conn, tenant_id=actor.tenant_id, id=proposed.id, approval_id=approval.id)
    return show_rules(conn, actor.tenant_id, proposed.id)


def _activate(
    conn: Connection, tenant_id: UUID, proposed: RulesVersion, actor: UUID | None, *, bootstrap: bool
) -> RulesVersion:
    sql.lock_tenant(conn, tenant_id=tenant_id)
    sql.supersede_rules(conn, tenant_id=tenant_id)
    sql.activate_rules(conn, tenant_id=tenant_id, id=proposed.id, bootstrap=bootstrap)
    active = show_rules(conn, tenant_id, proposed.id)
    _audit(conn, active, "trust_rules.activate", tenant_id, by=actor)
    for row in list(sql.other_proposals(conn, tenant_id=tenant_id, id=proposed.id)):
        overtaken = f"version {active.version} is in force"
        _reject(conn, tenant_id, show_rules(conn, tenant_id, row["id"]), why=overtaken)
        approvals.void_of(conn, tenant_id, SubjectKind.TRUST_RULES, row["id"], why=overtaken)
    return active


def _reject(conn: Connection, tenant_id: UUID, proposed: RulesVersion, *, why: str) -> None:
    sql.reject_rules(conn, tenant_id=tenant_id, id=proposed.id)
    _audit(conn, show_rules(conn, tenant_id, proposed.id), "trust_rules.reject", tenant_id, by=None, why=why)


def _require_known_keys(conn: Connection, tenant_id: UUID, rules: TrustRules) -> None:
    registered = {row["key_id"] for row in sql.all_keys(conn, tenant_id=tenant_id)}
    unknown = sorted({key for rule in rules.rules for key in rule.keys} - registered)
    if unknown:
        raise AtomError(codes.UNKNOWN_SIGNER, f"not registered: {', '.join(unknown[:10])}")


def _audit(
    conn: Connection, rules: RulesVersion, action: str, tenant_id: UUID, *, by: UUID | None, why: str | None = None
) -> None:
    entry = Entry(
        action=action,
        subject=f"trust_rules/{rules.id}",
        actor=by,
        digests={"rules": rules.digest},
        why=why or rules.reason,
        detail={"version": rules.version, "state": rules.state.value, "bootstrap": rules.bootstrap},
    )
    record_entry(conn, tenant_id, entry)
