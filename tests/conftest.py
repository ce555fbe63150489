"""Fixtures shared by all tests: one embedded PostgreSQL for the session, a fresh migrated database for each test."""

from __future__ import annotations

import itertools
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import settings
from psycopg import sql
from tests.servers.postgres import QUICK

from atomctl.db.address import DatabaseAddress, admin_from_credentials
from atomctl.db.bootstrap import bootstrap
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.migrate import migrate
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions

pytest_plugins = ["tests.servers.fixtures"]

# A shell that runs tests in the background lets them ignore Ctrl-C, and with them the programs that are to heed it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says how busy the machine is, not whether the property holds.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the database's own system user can reach, which pytest's private `tmp_path` is not for root."""
    folder = Path(tempfile.mkdtemp(prefix="atomctl-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A running embedded PostgreSQL; its database `atom` is migrated and used by nobody: the template of all others."""
    server = EmbeddedPostgres(server_folder / "home", QUICK)
    with server as address:
        migrate(address, server.admin)
        yield server


_numbers = itertools.count()


@pytest.fixture
def database(postgres: EmbeddedPostgres) -> Iterator[DatabaseAddress]:
    """A fresh database with the whole schema, dropped after the test with whoever is still connected."""
    admin = postgres.admin
    address = admin.address.in_database(f"test_{next(_numbers)}")
    with admin.connect("postgres") as connection:
        name = sql.Identifier(address.dbname)
        template = sql.Identifier(admin.address.dbname)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(name, template))
        bootstrap(admin_from_credentials(address))  # rights on a database are not copied from its template
        yield address
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


@pytest.fixture
def sessions(database: DatabaseAddress) -> Iterator[Sessions]:
    """Transactions as the API server makes them."""
    with Sessions(database, DatabaseRole.APP, min_size=0, name="test app") as opened:
        yield opened


@pytest.fixture
def worker_sessions(database: DatabaseAddress) -> Iterator[Sessions]:
    """Transactions as the worker makes them."""
    with Sessions(database, DatabaseRole.WORKER, min_size=0, name="test worker") as opened:
        yield opened


@pytest.fixture
def make_tenant(sessions: Sessions) -> Callable[[str], UUID]:
    """Makes a tenant of the given name; its id."""

    def make(name: str) -> UUID:
        tenant_id = new_id()
        with sessions.tenant(tenant_id) as connection:
            connection.execute("INSERT INTO atom.tenants (tenant_id, name) VALUES (%s, %s)", (tenant_id, name))
        return tenant_id

    return make
