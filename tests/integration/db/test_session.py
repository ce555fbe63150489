"""Transactions that belong to one tenant, on the embedded server."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from atomctl.db import codes, queries
from atomctl.db.address import DatabaseAddress, admin_from_credentials
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError

MakeTenant = Callable[[str], UUID]


def names(connection: psycopg.Connection[dict[str, Any]]) -> list[str]:
    return [row["name"] for row in connection.execute("SELECT name FROM atom.tenants").fetchall()]


def test_a_tenant_sees_its_own_rows_and_no_other(sessions: Sessions, make_tenant: MakeTenant) -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    for tenant_id, name in ((acme, "acme"), (globex, "globex")):
        with sessions.tenant(tenant_id) as connection:
            assert names(connection) == [name]


def test_a_transaction_without_a_tenant_sees_no_tenant_row(sessions: Sessions, make_tenant: MakeTenant) -> None:
    make_tenant("acme")
    with sessions.deployment() as connection:
        assert names(connection) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            connection.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'x')", (new_id(),))


def test_the_tenant_of_a_transaction_does_not_outlive_it_on_the_same_connection(
    database: DatabaseAddress, make_tenant: MakeTenant
) -> None:
    acme = make_tenant("acme")
    with Sessions(database, min_size=1, max_size=1) as sessions:
        with sessions.tenant(acme) as connection:
            first = connection.info.backend_pid
        with pytest.raises(ZeroDivisionError), sessions.tenant(acme) as connection:
            raise ZeroDivisionError
        with sessions.deployment() as connection:
            assert connection.info.backend_pid == first
            assert names(connection) == []


def test_an_error_rolls_everything_back_and_success_commits_everything(sessions: Sessions) -> None:
    lost, kept = new_id(), new_id()

    def fail_after_writing() -> None:
        with sessions.tenant(lost) as connection:
            connection.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'lost')", (lost,))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    with sessions.tenant(kept) as connection:
        connection.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'kept')", (kept,))
    for tenant_id, expected in ((lost, []), (kept, ["kept"])):
        with sessions.tenant(tenant_id) as connection:
            assert names(connection) == expected


def test_a_caller_cannot_commit_half_of_a_transaction(sessions: Sessions) -> None:
    with pytest.raises(psycopg.ProgrammingError), sessions.tenant(new_id()) as connection:
        connection.commit()


def test_a_tenant_named_by_text_is_refused(sessions: Sessions) -> None:
    text: Any = str(new_id())
    with pytest.raises(TypeError), sessions.tenant(text):
        pass


def test_times_are_in_utc_and_rows_are_dicts(sessions: Sessions) -> None:
    with sessions.deployment() as connection:
        row = connection.execute("SELECT now() AS at").fetchone()
    assert row is not None
    assert row["at"].utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - row["at"]) < timedelta(minutes=1)


def test_a_connection_that_dies_is_said_in_our_words_and_replaced(
    sessions: Sessions, database: DatabaseAddress, make_tenant: MakeTenant
) -> None:
    acme = make_tenant("acme")

    def use_a_killed_connection() -> None:
        with sessions.tenant(acme) as connection:
            with admin_from_credentials(database).connect() as admin:
                admin.execute("SELECT pg_terminate_backend(%s)", (connection.info.backend_pid,))
            connection.execute("SELECT 1")

    with pytest.raises(AtomError) as refusal:
        use_a_killed_connection()
    assert refusal.value.code is codes.UNAVAILABLE
    with sessions.tenant(acme) as connection:
        assert names(connection) == ["acme"]


def test_a_callers_own_database_error_stays_what_it_is(sessions: Sessions, make_tenant: MakeTenant) -> None:
    acme = make_tenant("acme")
    with pytest.raises(psycopg.errors.UniqueViolation), sessions.tenant(acme) as connection:
        connection.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, 'again')", (acme,))


@pytest.mark.parametrize("role", [DatabaseRole.MIGRATOR, DatabaseRole.ENGINE, DatabaseRole.BACKUP])
def test_a_role_that_is_not_for_serving_opens_no_sessions(database: DatabaseAddress, role: DatabaseRole) -> None:
    with pytest.raises(AtomError) as refusal:
        Sessions(database, role)
    assert refusal.value.code is codes.UNSAFE_ROLE


@pytest.mark.parametrize(
    ("widen", "restore"),
    [
        ("ALTER ROLE atom_app SUPERUSER", "ALTER ROLE atom_app NOSUPERUSER"),
        ("ALTER ROLE atom_app BYPASSRLS", "ALTER ROLE atom_app NOBYPASSRLS"),
        ("ALTER ROLE atom_app CREATEROLE", "ALTER ROLE atom_app NOCREATEROLE"),
        ("ALTER ROLE atom_app REPLICATION", "ALTER ROLE atom_app NOREPLICATION"),
        ("GRANT atom_owner TO atom_app", "REVOKE atom_owner FROM atom_app"),
        ("GRANT atom_relay TO atom_app", "REVOKE atom_relay FROM atom_app"),
        ("ALTER TABLE atom.workers OWNER TO atom_app", "ALTER TABLE atom.workers OWNER TO atom_owner"),
    ],
)
def test_a_role_that_could_see_past_row_level_security_serves_nobody(
    database: DatabaseAddress, widen: str, restore: str
) -> None:
    with admin_from_credentials(database).connect() as admin:
        admin.execute(sql.SQL(widen))
        try:
            with pytest.raises(AtomError) as refusal:
                Sessions(database)
        finally:
            admin.execute(sql.SQL(restore))
    assert refusal.value.code is codes.UNSAFE_ROLE
    assert "atom_app" in refusal.value.why
    Sessions(database).close()


def test_a_wrong_password_is_refused_at_once(database: DatabaseAddress, tmp_path: Path) -> None:
    file = tmp_path / "atom_app"
    file.write_text("*:*:*:atom_app:hunter2\n")
    file.chmod(0o600)
    with pytest.raises(AtomError) as refusal:
        Sessions(DatabaseAddress(database.host, database.port, database.dbname, tmp_path))
    assert refusal.value.code is codes.LOGIN_REFUSED
    assert "hunter2" not in refusal.value.why


def test_every_query_file_is_valid_and_its_rows_are_dicts(sessions: Sessions, tmp_path: Path) -> None:
    (tmp_path / "queries.sql").write_text(
        "-- name: all_numbers(most)\nSELECT generate_series(1, :most) AS n;\n"
        "-- name: one(n)^\nSELECT CAST(:n AS integer) AS n WHERE :n > 0;\n"
        "-- name: value(n)$\nSELECT CAST(:n AS integer);\n"
        "-- name: add(id, name)<!\nINSERT INTO atom.tenants (tenant_id, name) VALUES (:id, :name) RETURNING name;\n"
    )
    named = queries.load(str(tmp_path / "module.py"))
    tenant_id = new_id()
    with sessions.tenant(tenant_id) as connection:
        assert list(named.all_numbers(connection, most=2)) == [{"n": 1}, {"n": 2}]
        assert named.one(connection, n=1) == {"n": 1}
        assert named.one(connection, n=0) is None
        assert named.value(connection, n=3) == 3
        assert named.add(connection, id=tenant_id, name="acme") == {"name": "acme"}
