"""Reads schema `atom` from PostgreSQL's catalogue; any role may, nothing is changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import psycopg

from atomctl.db import queries
from atomctl.db.isolation.model import Column, ForeignKey, Function, Grant, Kind, Policy, Relation, Schema, UniqueIndex

_Row: TypeAlias = Mapping[str, Any]


def read_schema(connection: psycopg.Connection[dict[str, Any]]) -> Schema:
    """Schema `atom` as the server has it now, this transaction's own changes included."""
    named = queries.load(__file__)
    parts = {
        name: _by_relation(getattr(named, name)(connection))
        for name in ("columns", "policies", "grants", "foreign_keys", "unique_indexes", "checks")
    }
    relations = [_relation(row, parts) for row in named.relations(connection)]
    functions = tuple(Function(**row) for row in named.functions(connection))
    return Schema({relation.name: relation for relation in relations}, functions)


def _by_relation(rows: Iterable[_Row]) -> Mapping[str, list[_Row]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row["relation"]].append(row)
    return grouped


def _relation(row: _Row, parts: Mapping[str, Mapping[str, list[_Row]]]) -> Relation:
    name = row["name"]

    def part(kind: str) -> list[_Row]:
        return parts[kind].get(name, [])

    return Relation(
        name=name,
        kind=Kind(row["kind"]),
        owner=row["owner"],
        row_security=row["row_security"],
        forced=row["forced"],
        options=frozenset(row["options"]),
        parent=row["parent"],
        has_rules=row["has_rules"],
        columns=tuple(_column(found) for found in part("columns")),
        policies=tuple(_policy(found) for found in part("policies")),
        grants=frozenset(Grant(found["grantee"], found["privilege"], found["column"]) for found in part("grants")),
        foreign_keys=tuple(_foreign_key(found) for found in part("foreign_keys")),
        unique=tuple(UniqueIndex(found["name"], tuple(found["columns"])) for found in part("unique_indexes")),
        checks=tuple(found["name"] for found in part("checks")),
    )


def _column(row: _Row) -> Column:
    return Column(row["name"], row["type"], row["category"], not_null=row["not_null"], writable=row["writable"])


def _policy(row: _Row) -> Policy:
    roles = frozenset(row["roles"])
    return Policy(row["name"], row["restrictive"], row["command"], roles, row["using"], row["check"])


def _foreign_key(row: _Row) -> ForeignKey:
    return ForeignKey(row["name"], tuple(row["columns"]), row["parent"], tuple(row["parent_columns"]))
