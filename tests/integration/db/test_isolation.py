"""Tenants are kept apart on every PostgreSQL there is a promise for, and the proof notices when they are not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from tests.servers.postgres import Server

from atomctl.db import codes
from atomctl.db.connections import connect
from atomctl.db.ids import new_id
from atomctl.db.isolation.catalogue import read_schema
from atomctl.db.isolation.model import IsolationReport
from atomctl.db.isolation.probe import attack, attack_relation, tenant_relations
from atomctl.db.isolation.review import review
from atomctl.db.isolation.sabotage import acts_of_sabotage, unnoticed
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError


def test_every_relation_is_a_protected_tenant_table_or_on_the_reviewed_list(each_server: Server) -> None:
    with connect(each_server.address.dsn(DatabaseRole.APP)) as connection:
        report = review(read_schema(connection))
    assert list(map(str, report.breaches)) == []
    assert {"packages", "approvals", "workflow_runs", "audit_entries", "tenants", "workers"} <= set(report.relations)


def test_no_role_reaches_another_tenants_row_in_any_table_by_any_statement(each_server: Server) -> None:
    with each_server.admin.connect() as connection:
        before = _rows(connection)
        report = attack(connection)
        expected = [relation.name for relation in tenant_relations(read_schema(connection))]
        assert _rows(connection) == before
    assert list(map(str, report.breaches)) == []
    assert list(report.relations) == expected
    assert report.attempts > 100 * len(expected)


def _rows(connection: psycopg.Connection[dict[str, object]]) -> list[dict[str, object]]:
    """Rows and locks that an attack would leave behind."""
    return [
        *connection.execute("SELECT count(*) FROM atom.tenants").fetchall(),
        *connection.execute("SELECT current_user AS role, current_setting('session_replication_role')").fetchall(),
        *connection.execute("SELECT count(*) FROM pg_constraint WHERE contype = 'c'").fetchall(),
    ]


@pytest.mark.slow
def test_every_act_of_sabotage_is_noticed(each_server: Server) -> None:
    with each_server.admin.connect() as connection:
        schema = read_schema(connection)
        acts = list(acts_of_sabotage(schema))
        assert len(acts) > 8 * len(tenant_relations(schema))
        assert unnoticed(connection) == []
        assert review(read_schema(connection)).holds, "sabotage was not taken back"


def test_a_protected_partition_and_a_view_with_the_callers_rights_hold(each_server: Server) -> None:
    with each_server.admin.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(
            """
            SET LOCAL ROLE atom_owner;
            CREATE TABLE atom.parted (
                tenant_id uuid NOT NULL, id uuid NOT NULL, n integer NOT NULL, PRIMARY KEY (tenant_id, id, n)
            ) PARTITION BY RANGE (n);
            CREATE TABLE atom.parted_low PARTITION OF atom.parted FOR VALUES FROM (0) TO (10);
            CREATE TABLE atom.parted_rest PARTITION OF atom.parted DEFAULT;
            SELECT atom.protect('atom.parted'), atom.protect('atom.parted_low'), atom.protect('atom.parted_rest');
            CREATE VIEW atom.seen WITH (security_invoker = true) AS SELECT tenant_id, name FROM atom.tenants;
            GRANT SELECT ON atom.seen TO atom_app;
            RESET ROLE
            """
        )
        schema = read_schema(connection)
        assert list(map(str, review(schema).breaches)) == []
        for name in ("parted", "parted_low", "parted_rest", "seen"):
            report = attack_relation(connection, schema, schema.relations[name])
            assert list(map(str, report.breaches)) == []
            assert report.attempts >= 24


def test_a_report_about_nothing_does_not_hold() -> None:
    report = IsolationReport((), ())
    assert not report.holds
    with pytest.raises(AtomError) as refusal:
        report.raise_if_broken()
    assert refusal.value.code is codes.ISOLATION_BROKEN


def test_fifty_tenants_interleaved_on_a_pool_of_five_never_meet(each_server: Server) -> None:
    tenants = [new_id() for _ in range(50)]
    rounds = [tenant for _ in range(8) for tenant in tenants]
    with (
        Sessions(each_server.address, min_size=5, max_size=5, name="interleave") as sessions,
        ThreadPoolExecutor(max_workers=16) as threads,
    ):

        def visit(tenant: object) -> set[object]:
            with sessions.tenant(tenant) as connection:  # type: ignore[arg-type]  # `rounds` holds UUIDs
                connection.execute(
                    "INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'x') ON CONFLICT DO NOTHING", (tenant,)
                )
                seen = connection.execute("SELECT tenant_id FROM atom.tenants").fetchall()
            with sessions.deployment() as connection:
                seen += connection.execute("SELECT tenant_id FROM atom.tenants").fetchall()
            return {row["tenant_id"] for row in seen}

        for tenant, seen in zip(rounds, threads.map(visit, rounds), strict=True):
            assert seen == {tenant}
