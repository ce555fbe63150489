"""Whether the schema, as the catalogue has it, keeps tenants apart. Pure: facts in, breaches out."""

from __future__ import annotations

from collections.abc import Iterator

from atomctl.db import reviewed
from atomctl.db.isolation.model import TENANT, Breach, Function, IsolationReport, Kind, Policy, Relation, Schema
from atomctl.db.roles import OWNER, RESERVED, TENANT_BOUND

OWN_ROWS = "(tenant_id = (( SELECT NULLIF(current_setting('app.tenant'::text, true), ''::text) AS \"nullif\"))::uuid)"
"""The expression of every tenant policy, as PostgreSQL 15 to 18 deparse it."""

_ROW_PRIVILEGES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})
_BOUND = frozenset(map(str, TENANT_BOUND))


def review(schema: Schema) -> IsolationReport:
    """Every deviation of the schema from its rules; one relation or function may have several."""
    breaches = [breach for relation in schema.relations.values() for breach in _relation(relation, schema)]
    breaches += [breach for function in schema.functions for breach in _function(function)]
    breaches += _stale_reasons(schema)
    return IsolationReport(tuple(breaches), tuple(schema.relations))


def _relation(relation: Relation, schema: Schema) -> Iterator[Breach]:
    for probe, detail in _grants(relation):
        yield Breach(relation.name, probe, detail)
    if relation.name in reviewed.RELATIONS:
        return
    if relation.kind is Kind.SEQUENCE:
        checks = _sequence(relation)
    elif relation.holds_rows:
        checks = _tenant_table(relation, schema)
    else:
        checks = _view(relation)
    for probe, detail in checks:
        yield Breach(relation.name, probe, detail)


def _grants(relation: Relation) -> Iterator[tuple[str, str]]:
    if relation.owner != OWNER:
        yield "owner", f"is {relation.owner}, not {OWNER}"
    for grant in sorted(relation.grants, key=str):
        if grant.grantee == relation.owner:
            continue
        if grant.grantee not in RESERVED:
            yield "grant", f"{grant.privilege} to {grant.grantee}, which is no role of ATOM's"
        if grant.privilege not in _ROW_PRIVILEGES:
            yield "grant", f"{grant.privilege} to {grant.grantee}, which row level security does not filter"


def _sequence(relation: Relation) -> Iterator[tuple[str, str]]:
    if any(grant.grantee != relation.owner for grant in relation.grants):
        yield "sequence", "its counter, shared by all tenants, is granted to a role"


def _view(relation: Relation) -> Iterator[tuple[str, str]]:
    if relation.tenant_column is None:
        yield "tenant", f"it has no {TENANT} and is not on the reviewed list"
    if relation.kind is not Kind.VIEW:
        yield "kind", "row level security does not reach what it stores, and it is not on the reviewed list"
    elif not {"security_invoker=true", "security_invoker=on", "security_invoker=1"} & relation.options:
        yield "view", "without security_invoker it reads with its owner's rights"


def _tenant_table(relation: Relation, schema: Schema) -> Iterator[tuple[str, str]]:
    column = relation.tenant_column
    if column is None or column.type != "uuid" or not column.not_null:
        yield "tenant", f"it has no {TENANT} uuid NOT NULL and is not on the reviewed list"
        return
    if not relation.row_security:
        yield "row security", "not enabled"
    if not relation.forced:
        yield "row security", "not forced, so its owner is not bound"
    if relation.has_rules:
        yield "rules", "a rewrite rule runs with its owner's rights"
    yield from _policies(relation)
    yield from _keys(relation, schema)


def _policies(relation: Relation) -> Iterator[tuple[str, str]]:
    tenant = next((policy for policy in relation.policies if policy.name == "tenant"), None)
    if tenant is None:
        yield "policy", "the policy `tenant` is missing"
    elif not _is_exact(tenant):
        yield "policy", "the policy `tenant` is not the one that atom.protect() makes"
    for policy in relation.policies:
        for role in sorted(policy.roles - _BOUND):
            if (relation.name, role) not in reviewed.POLICIES:
                yield "policy", f"`{policy.name}` lets in {role}, which no tenant policy binds and nobody reviewed"


def _is_exact(policy: Policy) -> bool:
    return (
        policy.restrictive
        and policy.command == "*"
        and policy.roles == _BOUND
        and policy.using == OWN_ROWS
        and policy.check == OWN_ROWS
    )


def _keys(relation: Relation, schema: Schema) -> Iterator[tuple[str, str]]:
    for index in relation.unique:
        if index.columns[0] != TENANT and index.name not in reviewed.UNIQUE:
            yield "unique", f"{index.name} does not lead with {TENANT}: it tells whether another tenant has a value"
    for key in relation.foreign_keys:
        parent = schema.relations.get(key.parent)
        belongs = parent is not None and parent.tenant_column is not None and key.parent not in reviewed.RELATIONS
        if belongs and (TENANT, TENANT) not in zip(key.columns, key.parent_columns, strict=True):
            yield "foreign key", f"{key.name} does not tie {TENANT} to {TENANT}: it reaches another tenant's row"


def _function(function: Function) -> Iterator[Breach]:
    if not function.definer:
        return
    if function.signature not in _reviewed_functions():
        yield Breach(function.signature, "definer", "it runs with its owner's rights and is not on the reviewed list")
    if function.search_path is None:
        yield Breach(function.signature, "definer", "its search_path is the caller's")
    if function.public:
        yield Breach(function.signature, "definer", "everybody may execute it")


def _reviewed_functions() -> frozenset[str]:
    # `regprocedure` shows the schema only where the session's search_path does not find the function.
    return frozenset(name for full in reviewed.FUNCTIONS for name in (full, full.removeprefix("atom.")))


def _stale_reasons(schema: Schema) -> list[Breach]:
    policies = {
        (name, role) for name, found in schema.relations.items() for policy in found.policies for role in policy.roles
    }
    functions = {f"atom.{found.signature.removeprefix('atom.')}" for found in schema.functions}
    indexes = {index.name for found in schema.relations.values() for index in found.unique}
    missing = [
        *sorted(set(reviewed.RELATIONS) - set(schema.relations)),
        *(f"{name} for {role}" for name, role in sorted(set(reviewed.POLICIES) - policies)),
        *sorted(set(reviewed.FUNCTIONS) - functions),
        *sorted(set(reviewed.UNIQUE) - indexes),
    ]
    return [Breach(name, "reviewed list", "it is on the list and does not exist") for name in missing]
