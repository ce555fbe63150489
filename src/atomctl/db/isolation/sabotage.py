"""Negative controls: acts that break the isolation on purpose, each in a transaction that is rolled back.

A check that notices nothing is worth nothing. The review of the catalogue has to notice every act, the attack each one
that lets rows through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import psycopg
from psycopg import sql

from atomctl.db import queries
from atomctl.db.isolation import statements
from atomctl.db.isolation.catalogue import read_schema
from atomctl.db.isolation.model import Schema
from atomctl.db.isolation.probe import attack_relation, giving_way, tenant_relations
from atomctl.db.isolation.review import review
from atomctl.db.roles import OWNER

_Connection = psycopg.Connection[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Sabotage:
    """One act, and who has to notice it."""

    name: str
    where: str
    """The relation that leaks afterwards, or the function."""
    act: sql.SQL | sql.Composed
    attacked: bool = True
    """Whether the attack has to notice it as well; the review always has to."""
    as_owner: bool = True
    """Whether the schema's owner does it, so that nothing but the act itself stands out; else the superuser."""


ON_EACH_TABLE = {
    "the policy is dropped": sql.SQL("DROP POLICY tenant ON {}"),
    "the owner is no longer bound": sql.SQL("ALTER TABLE {} NO FORCE ROW LEVEL SECURITY"),
    "row level security is switched off": sql.SQL("ALTER TABLE {} DISABLE ROW LEVEL SECURITY"),
    "every row may be read": sql.SQL("ALTER POLICY tenant ON {} USING (true)"),
    "every row may be written": sql.SQL("ALTER POLICY tenant ON {} WITH CHECK (true)"),
    "the API server is left out of the policy": sql.SQL(
        "ALTER POLICY tenant ON {} TO atom_worker, atom_migrator, atom_owner"
    ),
    "no tenant means every tenant": sql.SQL(
        "ALTER POLICY tenant ON {} USING (tenant_id = coalesce((SELECT NULLIF(current_setting('app.tenant', true), ''))"
        "::uuid, tenant_id))"
    ),
    "emptying is granted": sql.SQL("GRANT TRUNCATE ON {} TO atom_app"),
}
"""Done to each tenant table in turn."""


def acts_of_sabotage(schema: Schema) -> Iterator[Sabotage]:
    """Every act for this schema: some on each tenant table, others that add what must not be there."""
    for relation in tenant_relations(schema):
        if relation.holds_rows:
            for name, act in ON_EACH_TABLE.items():
                yield Sabotage(name, relation.name, act.format(statements.name_of(relation)))
    yield from ADDITIONS


ADDITIONS = (
    Sabotage(
        "a tenant table without protection",
        "sabotage",
        sql.SQL("CREATE TABLE atom.sabotage (tenant_id uuid NOT NULL); GRANT SELECT ON atom.sabotage TO atom_app"),
    ),
    Sabotage(
        "a table without a tenant",
        "sabotage",
        sql.SQL("CREATE TABLE atom.sabotage (secret text); GRANT SELECT ON atom.sabotage TO atom_app"),
        attacked=False,
    ),
    Sabotage(
        "a table whose tenant may be missing",
        "sabotage",
        sql.SQL("CREATE TABLE atom.sabotage (tenant_id uuid); SELECT atom.protect('atom.sabotage')"),
        attacked=False,
    ),
    Sabotage(
        "a view that reads with a superuser's rights",
        "sabotage",
        sql.SQL("CREATE VIEW atom.sabotage AS SELECT * FROM atom.tenants; GRANT SELECT ON atom.sabotage TO atom_app"),
        as_owner=False,
    ),
    Sabotage(
        "a view that reads with its owner's rights, who is bound as well",
        "sabotage",
        sql.SQL("CREATE VIEW atom.sabotage AS SELECT * FROM atom.tenants; GRANT SELECT ON atom.sabotage TO atom_app"),
        attacked=False,
    ),
    Sabotage(
        "a view without a tenant",
        "sabotage",
        sql.SQL(
            "CREATE VIEW atom.sabotage WITH (security_invoker = true) AS SELECT name FROM atom.tenants;"
            "GRANT SELECT ON atom.sabotage TO atom_app"
        ),
        attacked=False,
    ),
    Sabotage(
        "a materialized view",
        "sabotage",
        sql.SQL("CREATE MATERIALIZED VIEW atom.sabotage AS SELECT * FROM atom.tenants"),
        attacked=False,
    ),
    Sabotage(
        "a partition that is reached directly",
        "sabotage_part",
        sql.SQL(
            "CREATE TABLE atom.sabotage (tenant_id uuid NOT NULL, n integer) PARTITION BY LIST (n);"
            "CREATE TABLE atom.sabotage_part PARTITION OF atom.sabotage DEFAULT;"
            "SELECT atom.protect('atom.sabotage'); GRANT SELECT ON atom.sabotage_part TO atom_app"
        ),
    ),
    Sabotage(
        "a foreign key that leaves the tenant out",
        "sabotage",
        sql.SQL(
            "CREATE TABLE atom.sabotage_parent (tenant_id uuid NOT NULL, id uuid NOT NULL UNIQUE);"
            "CREATE TABLE atom.sabotage (tenant_id uuid NOT NULL, parent uuid REFERENCES atom.sabotage_parent (id));"
            "SELECT atom.protect('atom.sabotage_parent'), atom.protect('atom.sabotage')"
        ),
    ),
    Sabotage(
        "a unique value across tenants",
        "tenants",
        sql.SQL("CREATE UNIQUE INDEX sabotage ON atom.tenants (name)"),
        attacked=False,
    ),
    Sabotage(
        "a function with its owner's rights that nobody reviewed",
        "sabotage",
        sql.SQL(
            "CREATE FUNCTION atom.sabotage() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog"
            " AS 'SELECT count(*) FROM atom.tenants'; REVOKE ALL ON FUNCTION atom.sabotage() FROM PUBLIC"
        ),
        attacked=False,
    ),
    Sabotage(
        "a reviewed function that everybody may execute",
        "tenant_ids()",
        sql.SQL("GRANT EXECUTE ON FUNCTION atom.tenant_ids() TO PUBLIC"),
        attacked=False,
    ),
    Sabotage(
        "a policy for a role that the tenant policy does not bind",
        "packages",
        sql.SQL("CREATE POLICY sabotage ON atom.packages TO atom_backup USING (true)"),
        attacked=False,
    ),
    Sabotage("a grant to everybody", "packages", sql.SQL("GRANT SELECT ON atom.packages TO PUBLIC"), attacked=False),
    Sabotage(
        "a change of owner",
        "packages",
        sql.SQL("ALTER TABLE atom.packages OWNER TO atom_app"),
        attacked=False,
        as_owner=False,
    ),
    Sabotage(
        "a rewrite rule",
        "packages",
        sql.SQL("CREATE RULE sabotage AS ON DELETE TO atom.packages DO ALSO DELETE FROM atom.tenants"),
        attacked=False,
    ),
)
"""Done to the schema as a whole, one at a time."""


def one_of_each(schema: Schema, pick: Callable[[Sequence[Sabotage]], Sabotage]) -> Iterator[Sabotage]:
    """Each kind of act once: those on each table on the one that `pick` takes, such as `secrets.choice`."""
    acts = list(acts_of_sabotage(schema))
    for name in ON_EACH_TABLE:
        yield pick([act for act in acts if act.name == name])
    yield from ADDITIONS


def unnoticed(connection: _Connection, acts: Iterable[Sabotage] | None = None) -> list[str]:
    """Does acts of sabotage, one at a time, and takes each back; those that were not noticed by all who should.

    Needs a superuser's connection.

    Args:
        connection: the superuser's.
        acts: those to do; every one for the schema unless given.
    """
    missed: list[str] = []
    for sabotage in acts_of_sabotage(read_schema(connection)) if acts is None else acts:
        blind = giving_way(connection, partial(_blind, connection, sabotage))
        missed += [f"{sabotage.where}: {sabotage.name}: not noticed by {who}" for who in blind]
    return missed


def _blind(connection: _Connection, sabotage: Sabotage) -> list[str]:
    """Who should have noticed the act and did not; it is taken back."""
    with connection.transaction(force_rollback=True):
        if sabotage.as_owner:
            queries.load(__file__).become(connection, role=OWNER, tenant="")
        connection.execute(sabotage.act)
        connection.execute("RESET ROLE")
        return [who for who, saw in _watch(connection, sabotage) if not saw]


def _watch(connection: _Connection, sabotage: Sabotage) -> Iterator[tuple[str, bool]]:
    schema = read_schema(connection)
    yield "the review", any(sabotage.where in breach.where for breach in review(schema).breaches)
    if sabotage.attacked:
        found = attack_relation(connection, schema, schema.relations[sabotage.where], limit=1).breaches
        yield "the attack", any("cannot be probed" not in breach.detail for breach in found)
