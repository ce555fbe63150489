"""Attacks every tenant table and view of a live database in the real roles, inside transactions that are rolled back.

The roles tried are the API server's, the worker's and the owner's: the owner has every grant, so that FORCE and the
policies are tested also where the others' missing grants would refuse first.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg import errors, sql

from atomctl.db import queries, reviewed
from atomctl.db.ids import new_id
from atomctl.db.isolation import attacks, statements
from atomctl.db.isolation.attacker import GAVE_WAY, Attacker, Visitor
from atomctl.db.isolation.attacks import Target
from atomctl.db.isolation.catalogue import read_schema
from atomctl.db.isolation.model import TENANT, Breach, IsolationReport, Kind, Relation, Schema
from atomctl.db.isolation.samples import Sample, linked_places
from atomctl.db.roles import OWNER, DatabaseRole

ROLES = (DatabaseRole.APP, DatabaseRole.WORKER, OWNER)

_TRIES, _PAUSE = 8, 0.2
_Connection = psycopg.Connection[dict[str, Any]]
_T = TypeVar("_T")


def attack(connection: _Connection) -> IsolationReport:
    """Attacks each tenant relation in a transaction of its own; nothing remains.

    Needs a superuser's connection. A table under attack is locked for some 50 ms; where that is in somebody's way, the
    attack gives way and is made again.
    """
    schema = read_schema(connection)
    reports = [
        giving_way(connection, partial(attack_relation, connection, schema, relation))
        for relation in tenant_relations(schema)
    ]
    return IsolationReport(
        tuple(breach for report in reports for breach in report.breaches),
        tuple(name for report in reports for name in report.relations),
        sum(report.attempts for report in reports),
    )


def giving_way(connection: _Connection, act: Callable[[], _T]) -> _T:
    """What `act` returns, done again while it had to give way to somebody who works on the live database.

    It is this connection that notices a deadlock first, so that it is never a user's transaction that is ended.

    Raises:
        psycopg.Error: it had to give way each time.
    """
    queries.load(__file__).notice_first(connection)
    for _ in range(_TRIES - 1):
        try:
            return act()
        except GAVE_WAY:
            time.sleep(_PAUSE)
    return act()


def tenant_relations(schema: Schema) -> list[Relation]:
    """The tables and views with a tenant column that are not on the reviewed list."""
    kinds = (Kind.TABLE, Kind.PARTITIONED, Kind.VIEW)
    return [
        relation
        for relation in schema.relations.values()
        if relation.kind in kinds and relation.tenant_column is not None and relation.name not in reviewed.RELATIONS
    ]


def attack_relation(
    connection: _Connection, schema: Schema, relation: Relation, *, limit: int | None = None
) -> IsolationReport:
    """Attacks one relation until `limit` breaches are found; may run inside a transaction, which is left as it was."""
    attackers: list[Attacker] = []
    with connection.transaction(force_rollback=True):
        try:
            pair = _stage(connection, schema, relation)
        except GAVE_WAY:
            raise
        except (psycopg.Error, LookupError) as error:
            breach = Breach(relation.name, "staging", f"cannot be probed: {' '.join(str(error).split())}")
            return IsolationReport((breach,), (relation.name,))
        found = _attack_as_all(connection, schema, relation, pair, attackers)
        with contextlib.closing(found):  # it may be left in the midst of a savepoint of its own
            breaches = list(itertools.islice(found, limit))
    return IsolationReport(tuple(breaches), (relation.name,), sum(attacker.attempts for attacker in attackers))


def _stage(connection: _Connection, schema: Schema, relation: Relation) -> tuple[Sample, Sample]:
    """Two fresh tenants with one row each in the relation and in all it refers to or shows."""
    queries.load(__file__).stage(connection, replication_role="replica")
    linked = linked_places(schema)
    pair = Sample(new_id(), linked), Sample(new_id(), linked)
    if relation.parent is not None:
        parent = sql.Identifier(statements.SCHEMA, relation.parent)
        connection.execute(sql.SQL("ALTER TABLE {} DETACH PARTITION {}").format(parent, statements.name_of(relation)))
    for needed in _needed(schema, relation):
        for check in needed.checks:
            connection.execute(
                sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(statements.name_of(needed), sql.Identifier(check))
            )
        for sample in pair:
            connection.execute(statements.insert(needed, sample.row(needed)))
    return pair


def _needed(schema: Schema, relation: Relation) -> Iterable[Relation]:
    """The tables that must hold rows for the attack to mean something."""
    if relation.kind is Kind.VIEW:
        return [found for found in tenant_relations(schema) if found.holds_rows and found.parent is None]
    parents = {key.parent for key in relation.foreign_keys} - {relation.name}
    return [relation, *(schema.relations[name] for name in sorted(parents))]


def _attack_as_all(
    connection: _Connection,
    schema: Schema,
    relation: Relation,
    pair: tuple[Sample, Sample],
    attackers: list[Attacker],
) -> Generator[Breach]:
    own, other = pair
    linked = linked_places(schema)
    new_own, new_other = Sample(own.tenant, linked), Sample(other.tenant, linked)
    kinds = attacks.ON_TABLES if relation.holds_rows else attacks.ON_VIEWS
    for role in ROLES:
        for visitor in Visitor:
            attacker = Attacker(connection, role, visitor.setting(own.tenant))
            attackers.append(attacker)
            target = Target(relation, attacker, visitor, own, other, new_own, new_other)
            for kind in kinds:
                for detail in kind(target):
                    yield Breach(relation.name, f"{kind.__name__} as {role}, {visitor.value}", detail)
    if relation.holds_rows:
        attacker = Attacker(connection, OWNER, str(own.tenant))
        attackers.append(attacker)
        yield from _refer_to_other(attacker, relation, schema, pair)


def _refer_to_other(
    attacker: Attacker, relation: Relation, schema: Schema, pair: tuple[Sample, Sample]
) -> Iterator[Breach]:
    """Points each foreign key of the own row at the other tenant's row; the key itself must refuse it."""
    own, other = (sample.row(relation) for sample in pair)
    keys = [key for key in relation.foreign_keys if set(key.columns) != {TENANT} and _is_tenants(schema, key.parent)]
    if not keys:
        return
    connection = attacker.connection
    with connection.transaction(force_rollback=True):
        connection.execute(statements.delete(relation, [own[TENANT]]))
        queries.load(__file__).stage(connection, replication_role="origin")
        connection.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(statements.name_of(relation)))
        control = attacker.attempt(statements.insert(relation, own))
        if control.error is not None:
            yield Breach(
                relation.name, "foreign key", f"its own row was refused, so nothing is proven: {control.words}"
            )
        for key in keys:
            pointed = {**own, **{column: other[column] for column in key.columns if column != TENANT}}
            outcome = attacker.attempt(statements.insert(relation, pointed))
            if not isinstance(outcome.error, errors.ForeignKeyViolation):
                yield Breach(relation.name, f"foreign key {key.name}", f"was not refused: {outcome.words}")


def _is_tenants(schema: Schema, name: str) -> bool:
    return schema.relations[name].tenant_column is not None and name not in reviewed.RELATIONS
