"""The review of a schema sees each deviation; facts are made by hand, no server is needed."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from atomctl.db import reviewed
from atomctl.db.isolation.model import (
    Column,
    ForeignKey,
    Function,
    Grant,
    Kind,
    Policy,
    Relation,
    Schema,
    UniqueIndex,
)
from atomctl.db.isolation.review import OWN_ROWS, review

BOUND = frozenset({"atom_app", "atom_worker", "atom_migrator", "atom_owner"})
TENANT = Policy("tenant", True, "*", BOUND, OWN_ROWS, OWN_ROWS)
ROWS = Policy("rows", False, "*", BOUND, "true", "true")


def table(**changes: Any) -> Relation:
    good = Relation(
        name="notes",
        kind=Kind.TABLE,
        owner="atom_owner",
        row_security=True,
        forced=True,
        options=frozenset(),
        parent=None,
        has_rules=False,
        columns=(
            Column("tenant_id", "uuid", "U", not_null=True, writable=True),
            Column("id", "uuid", "U", not_null=True, writable=True),
        ),
        policies=(ROWS, TENANT),
        grants=frozenset({Grant("atom_owner", "TRUNCATE"), Grant("atom_app", "SELECT")}),
        foreign_keys=(),
        unique=(UniqueIndex("notes_pkey", ("tenant_id", "id")),),
        checks=(),
    )
    return dataclasses.replace(good, **changes)


def found(*relations: Relation, functions: tuple[Function, ...] = ()) -> list[str]:
    report = review(Schema({relation.name: relation for relation in relations}, functions))
    return [str(breach) for breach in report.breaches if breach.probe != "reviewed list"]


def test_a_protected_table_is_in_order() -> None:
    assert found(table()) == []


def weak(**changes: Any) -> dict[str, Any]:
    return {"policies": (ROWS, dataclasses.replace(TENANT, **changes))}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"row_security": False}, "not enabled"),
        ({"forced": False}, "not forced"),
        ({"policies": (ROWS,)}, "missing"),
        (weak(restrictive=False), "not the one"),
        (weak(using="true"), "not the one"),
        (weak(check=None), "not the one"),
        (weak(command="r"), "not the one"),
        (weak(roles=BOUND - {"atom_app"}), "not the one"),
        ({"policies": (ROWS, TENANT, Policy("more", False, "r", frozenset({"public"}), "true", None))}, "public"),
        ({"columns": ()}, "no tenant_id"),
        ({"columns": (Column("tenant_id", "text", "S", True, True),)}, "no tenant_id"),
        ({"columns": (Column("tenant_id", "uuid", "U", False, True),)}, "no tenant_id"),
        ({"owner": "atom_app"}, "owner"),
        ({"has_rules": True}, "rewrite rule"),
        ({"grants": frozenset({Grant("atom_app", "TRUNCATE")})}, "TRUNCATE"),
        ({"grants": frozenset({Grant("public", "SELECT", "id")})}, "public"),
        ({"unique": (UniqueIndex("notes_id", ("id", "tenant_id")),)}, "notes_id"),
        ({"unique": (UniqueIndex("notes_lower", ("",)),)}, "notes_lower"),
        ({"kind": Kind.MATERIALIZED_VIEW}, "reviewed list"),
        ({"kind": Kind.FOREIGN_TABLE}, "reviewed list"),
        ({"kind": Kind.VIEW}, "security_invoker"),
        ({"kind": Kind.SEQUENCE}, "counter"),
    ],
)
def test_each_deviation_is_named(changes: dict[str, Any], words: str) -> None:
    assert any(words in breach for breach in found(table(**changes)))


def test_a_view_with_the_callers_rights_is_in_order() -> None:
    options = frozenset({"security_invoker=true"})
    assert found(table(kind=Kind.VIEW, options=options, policies=(), unique=())) == []


def test_a_foreign_key_must_tie_the_tenants_together() -> None:
    loose = ForeignKey("notes_parent", ("id",), "notes", ("id",))
    crossed = ForeignKey("notes_crossed", ("tenant_id", "id"), "notes", ("id", "tenant_id"))
    tied = ForeignKey("notes_tied", ("tenant_id", "id"), "notes", ("tenant_id", "id"))
    assert [breach for breach in found(table(foreign_keys=(loose, crossed, tied))) if "notes_tied" in breach] == []
    assert len(found(table(foreign_keys=(loose, crossed, tied)))) == 2


def test_a_function_with_its_owners_rights_is_reviewed_closed_and_sure_of_its_names() -> None:
    good = Function("tenant_ids()", "atom_relay", definer=True, search_path="pg_catalog", public=False)
    assert found(table(), functions=(good,)) == []
    for changes in ({"signature": "other()"}, {"search_path": None}, {"public": True}):
        assert len(found(table(), functions=(dataclasses.replace(good, **changes),))) == 1
    assert found(table(), functions=(dataclasses.replace(good, signature="other()", definer=False),)) == []


def test_a_reason_for_something_that_is_gone_is_noticed() -> None:
    stale = [breach.where for breach in review(Schema({"notes": table()}, ())).breaches]
    assert set(reviewed.RELATIONS) <= set(stale)
    assert set(reviewed.FUNCTIONS) <= set(stale)


def test_every_reason_says_something() -> None:
    for reasons in (reviewed.RELATIONS, reviewed.POLICIES, reviewed.FUNCTIONS, reviewed.UNIQUE):
        assert all(len(reason) > 10 for reason in reasons.values())
