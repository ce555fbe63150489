"""The statements of an attack, composed for one relation; names are quoted by psycopg, values are parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from psycopg import sql

from atomctl.db.isolation.model import TENANT, Column, Relation

SCHEMA = "atom"
NOTHING = sql.SQL("")
"""No tail."""

_TENANT = sql.Identifier(TENANT)


def name_of(relation: Relation) -> sql.Identifier:
    """The relation's qualified name."""
    return sql.Identifier(SCHEMA, relation.name)


def _literal(value: object) -> sql.Composed:
    # `unknown` literals take the type of the column they meet, as values in a file of statements do.
    return sql.Composed([sql.Literal(str(value))])


def insert(relation: Relation, row: Mapping[str, str], tail: sql.Composable = NOTHING) -> sql.Composed:
    """Inserts `row`, also into identity columns."""
    return sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({}) {}").format(
        name_of(relation),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(_literal, row.values())),
        tail,
    )


def select(relation: Relation, tenants: Iterable[object]) -> sql.Composed:
    """The tenant of each row of `tenants` that can be seen."""
    return sql.SQL("SELECT {} AS tenant FROM {} WHERE {}").format(_TENANT, name_of(relation), _among(tenants))


def update(
    relation: Relation, column: Column, tenants: Iterable[object], tail: sql.Composable = NOTHING
) -> sql.Composed:
    """Writes each row of `tenants` that can be reached, without changing it."""
    name = sql.Identifier(column.name)
    return sql.SQL("UPDATE {} SET {} = {} WHERE {} {}").format(name_of(relation), name, name, _among(tenants), tail)


def move(relation: Relation, target: object, tenants: Iterable[object]) -> sql.Composed:
    """Gives each row of `tenants` that can be reached to the tenant `target`."""
    return sql.SQL("UPDATE {} SET {} = {} WHERE {}").format(
        name_of(relation), _TENANT, _literal(target), _among(tenants)
    )


def delete(relation: Relation, tenants: Iterable[object]) -> sql.Composed:
    """Deletes each row of `tenants` that can be reached."""
    return sql.SQL("DELETE FROM {} WHERE {}").format(name_of(relation), _among(tenants))


def copy_out(relation: Relation, tenants: Iterable[object]) -> sql.Composed:
    """Copies the tenant of each row of `tenants` that can be seen."""
    return sql.SQL("COPY ({}) TO STDOUT").format(select(relation, tenants))


def copy_in(relation: Relation, columns: Iterable[str]) -> sql.Composed:
    """Takes rows from the client."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(name_of(relation), names)


def truncate(relation: Relation) -> sql.Composed:
    """Empties the relation, all tenants' rows at once."""
    return sql.SQL("TRUNCATE {}").format(name_of(relation))


def on_conflict(relation: Relation, column: Column | None) -> sql.Composed:
    """The tail of an insert that meets an existing row: leaves it alone, or overwrites `column`."""
    key = min(relation.unique, key=lambda index: not index.name.endswith("_pkey"), default=None)
    if column is None or key is None:
        return sql.Composed([sql.SQL("ON CONFLICT DO NOTHING")])
    name = sql.Identifier(column.name)
    target = sql.SQL(", ").join(map(sql.Identifier, key.columns))
    return sql.SQL("ON CONFLICT ({}) DO UPDATE SET {} = excluded.{}").format(target, name, name)


def returning() -> sql.Composed:
    """The tail that shows the tenant of each row written."""
    return sql.SQL("RETURNING {} AS tenant").format(_TENANT)


def _among(tenants: Iterable[object]) -> sql.Composed:
    values = sql.SQL(", ").join(map(_literal, tenants))
    return sql.SQL("{} IN ({})").format(_TENANT, values)
