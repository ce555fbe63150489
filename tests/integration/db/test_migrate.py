"""Migrations: all or nothing, one at a time, forward only; an administrator is needed once, then the migrator."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from psycopg import sql
from tests.servers.postgres import QUICK, SERVERS, Server

from atomctl.db import codes
from atomctl.db.address import AdminLogin, DatabaseAddress, admin_from_credentials
from atomctl.db.connections import connect
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.isolation.catalogue import read_schema
from atomctl.db.isolation.review import review
from atomctl.db.migrate import migrate, status
from atomctl.db.migrations import folder
from atomctl.db.roles import ADMIN, DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError


@pytest.fixture
def empty(each_server: Server) -> Iterator[AdminLogin]:
    """The administrator of a new, empty database on each server."""
    name = sql.Identifier("empty")
    with each_server.admin.connect("postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield AdminLogin(each_server.address.in_database("empty"), each_server.admin.user, each_server.admin.password)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def tables(admin: AdminLogin) -> int:
    with admin.connect() as connection:
        return connection.execute("SELECT FROM pg_class WHERE relnamespace = to_regnamespace('atom')").rowcount


def test_an_empty_database_is_migrated_once_and_then_left_alone(empty: AdminLogin) -> None:
    done = migrate(empty.address, empty)
    assert (done.current, done.pending, done.ahead) == (done.head, (), False)
    before = tables(empty)
    assert migrate(empty.address) == done
    assert migrate(empty.address, empty) == done
    assert tables(empty) == before > 30
    assert status(empty.address) == done
    done.require_served()


def test_a_database_that_cannot_hold_every_letter_is_refused_and_left_empty(each_server: Server) -> None:
    with each_server.admin.connect("postgres") as connection:
        plain = "ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0"
        connection.execute(f"CREATE DATABASE plain {plain}")
        admin = AdminLogin(each_server.address.in_database("plain"), each_server.admin.user, each_server.admin.password)
        with pytest.raises(AtomError) as caught:
            migrate(admin.address, admin)
        made = tables(admin)
        connection.execute("DROP DATABASE plain WITH (FORCE)")
    assert caught.value.code is codes.ENCODING_UNSUPPORTED
    assert "SQL_ASCII" in caught.value.why
    assert made == 0


def test_the_administrators_password_may_come_by_environment_and_is_not_taken_for_the_roles(
    empty: AdminLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", str(empty.password))
    done = migrate(empty.address, AdminLogin(empty.address, empty.user))
    assert done.current == done.head


def test_a_database_that_was_never_migrated_is_not_served(empty: AdminLogin) -> None:
    migrate(empty.address, empty)  # the roles may connect
    with empty.connect() as connection:
        connection.execute("DROP SCHEMA atom CASCADE; DROP SCHEMA engine")
    found = status(empty.address)
    assert (found.current, found.pending[0], found.pending[-1]) == (None, "0001", found.head)
    with pytest.raises(AtomError) as refusal:
        found.require_served()
    assert refusal.value.code is codes.SCHEMA_BEHIND


def test_of_many_migrators_at_once_one_migrates_and_the_others_find_nothing_to_do(empty: AdminLogin) -> None:
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda _: migrate(empty.address, empty), range(4)))
    assert len(set(done)) == 1
    assert done[0].pending == ()


def test_a_database_that_is_newer_may_be_served_and_is_not_migrated(empty: AdminLogin) -> None:
    migrate(empty.address, empty)
    with empty.connect() as connection:
        connection.execute("UPDATE atom.alembic_version SET version_num = '9999'")
    found = status(empty.address)
    assert found.ahead
    found.require_served()
    with pytest.raises(AtomError) as refusal:
        migrate(empty.address)
    assert refusal.value.code is codes.SCHEMA_AHEAD


def test_a_failed_migration_leaves_nothing_and_names_file_and_line(
    empty: AdminLogin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(folder.SQL, tmp_path / "sql")
    (tmp_path / "sql" / "0001" / "85-broken.sql").write_text("-- a comment\nSELECT 1;\nSELECT * FROM nowhere;\n")
    monkeypatch.setattr(folder, "SQL", tmp_path / "sql")
    with pytest.raises(AtomError) as refusal:
        migrate(empty.address, empty)
    assert refusal.value.code is codes.MIGRATION_FAILED
    assert "0001/85-broken.sql:3" in refusal.value.why
    assert tables(empty) == 0
    monkeypatch.undo()
    assert migrate(empty.address).pending == ()


def test_everything_belongs_to_the_owner_and_nobody_logs_in_as_it(empty: AdminLogin) -> None:
    migrate(empty.address, empty)
    with empty.connect() as connection:
        owners = connection.execute(
            "SELECT DISTINCT pg_get_userbyid(relowner) AS owner FROM pg_class WHERE relnamespace = 'atom'::regnamespace"
        ).fetchall()
        roles = connection.execute(
            "SELECT rolname, rolcanlogin, rolinherit, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, "
            "rolreplication FROM pg_roles "
            "WHERE starts_with(rolname, 'atom_') AND rolname <> 'atom_admin' ORDER BY rolname"
        ).fetchall()
        schemas = connection.execute(
            "SELECT nspname, pg_get_userbyid(nspowner) AS owner FROM pg_namespace WHERE nspname IN ('atom', 'engine')"
        ).fetchall()
    assert owners == [{"owner": "atom_owner"}]
    assert {row["nspname"]: row["owner"] for row in schemas} == {"atom": "atom_owner", "engine": "atom_engine"}
    assert {row["rolname"] for row in roles if row["rolcanlogin"]} == set(DatabaseRole)
    # A base backup is a copy of the server: its role may replicate, and read every row so as to count them.
    backup = {"rolreplication", "rolbypassrls"}
    for row in roles:
        special = {right for right in row if right not in ("rolname", "rolcanlogin", "rolinherit") and row[right]}
        assert special == (backup if row["rolname"] == "atom_backup" else set()), row
        assert row["rolinherit"] == (row["rolname"] == "atom_owner")


def test_the_backup_role_reads_everything_and_writes_nothing(empty: AdminLogin) -> None:
    migrate(empty.address, empty)
    with connect(empty.address.dsn(DatabaseRole.BACKUP)) as connection:
        rights = connection.execute(
            "SELECT bool_and(has_table_privilege(oid, 'SELECT')) AS reads,"
            " bool_or(has_table_privilege(oid, 'INSERT, UPDATE, DELETE, TRUNCATE')) AS writes"
            " FROM pg_class WHERE relkind = 'r' AND relnamespace = 'atom'::regnamespace"
        ).fetchone()
    assert rights == {"reads": True, "writes": False}


@pytest.mark.parametrize("role", [DatabaseRole.ENGINE, DatabaseRole.SEQUENCER])
def test_a_role_has_no_right_outside_its_work(empty: AdminLogin, role: DatabaseRole) -> None:
    migrate(empty.address, empty)
    with connect(empty.address.dsn(role)) as connection:
        readable = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'atom'::regnamespace"
            " AND has_table_privilege(oid, 'SELECT')"
        ).fetchall()
        temporary = connection.execute("SELECT has_database_privilege(current_database(), 'TEMP') AS yes").fetchone()
    assert temporary == {"yes": False}
    names = {row["relname"] for row in readable} - {"alembic_version"}
    assert all(name.startswith("audit_") for name in names)
    assert bool(names) == (role is DatabaseRole.SEQUENCER)


@pytest.mark.parametrize("kind", SERVERS)
def test_an_administrator_without_superuser_is_enough(kind: str, server_folder: Path) -> None:
    """What a managed PostgreSQL gives: CREATEROLE, and the database belongs to them."""
    folder = server_folder / f"landlord-{list(SERVERS).index(kind)}"
    with SERVERS[kind](folder) as server:
        with server.admin.connect() as connection:
            connection.execute("CREATE ROLE landlord LOGIN CREATEROLE PASSWORD 'landlord'")
            connection.execute("ALTER DATABASE atom OWNER TO landlord")
        landlord = AdminLogin(server.address, "landlord", "landlord")
        assert migrate(server.address, landlord).pending == ()
        assert migrate(server.address, landlord).pending == ()
        with server.admin.connect() as connection:
            assert review(read_schema(connection)).holds
        with Sessions(server.address):
            pass
    shutil.rmtree(folder)


@pytest.fixture
def lonely(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of its own, whose roles a test may break."""
    home = server_folder / "lonely"
    server = EmbeddedPostgres(home, QUICK)
    with server:
        yield server
    shutil.rmtree(home)


def test_a_second_machine_without_the_credentials_is_refused_and_changes_no_password(
    lonely: EmbeddedPostgres, tmp_path: Path
) -> None:
    admin = lonely.admin
    migrate(admin.address, admin)
    elsewhere = DatabaseAddress(admin.address.host, admin.address.port, "atom", tmp_path / "credentials")
    with pytest.raises(AtomError) as refusal:
        migrate(elsewhere, AdminLogin(elsewhere, ADMIN, admin.password))
    assert refusal.value.code is codes.CREDENTIALS_MISSING
    status(admin.address)
    with pytest.raises(AtomError) as refusal:
        migrate(elsewhere)
    assert refusal.value.code is codes.CREDENTIALS_MISSING
    shutil.copytree(admin.address.credentials, elsewhere.credentials)
    assert migrate(elsewhere, admin_from_credentials(elsewhere)).pending == ()


def test_an_administrator_who_may_not_create_roles_is_told_so(lonely: EmbeddedPostgres, tmp_path: Path) -> None:
    with lonely.admin.connect() as connection:
        connection.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    address = DatabaseAddress(lonely.admin.address.host, lonely.admin.address.port, "atom", tmp_path)
    with pytest.raises(AtomError) as refusal:
        migrate(address, AdminLogin(address, "guest", "guest"))
    assert refusal.value.code is codes.ADMIN_NEEDED
    assert "guest" in refusal.value.why
