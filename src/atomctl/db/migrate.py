"""Bringing a database to this program's schema, and saying how far it is. Forward only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from atomctl.db import codes, queries
from atomctl.db.address import AdminLogin, DatabaseAddress
from atomctl.db.bootstrap import bootstrap
from atomctl.db.connections import connect, translated, unreachable
from atomctl.db.roles import DatabaseRole
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

_SCRIPTS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """How a database's schema and this program's relate."""

    current: str | None
    """The newest migration that ran; None if none did."""
    head: str
    """The newest migration this program has."""
    pending: tuple[str, ...]
    """What `migrate` would run, in order."""
    ahead: bool
    """The database knows a migration that this program does not; it may serve, as schemas stay compatible for one
    release, but it cannot migrate."""

    def require_served(self) -> None:
        """Returns when this program may serve the database.

        Raises:
            AtomError: DBA012 migrations are pending.
        """
        if self.pending:
            raise AtomError(codes.SCHEMA_BEHIND, f"schema {self.current or 'empty'}, this program needs {self.head}")


def status(address: DatabaseAddress, role: DatabaseRole = DatabaseRole.APP) -> MigrationStatus:
    """How far the database is, as `role` sees it; changes nothing.

    Raises:
        AtomError: DBA001 nothing answers, DBA002 the login is refused, DBA009 or DBA010 no usable password file.
    """
    with connect(address.dsn(role)) as connection:
        return _status(_current(connection))


def migrate(address: DatabaseAddress, admin: AdminLogin | None = None) -> MigrationStatus:
    """Afterwards the database has this program's schema; with an `admin`, also its roles. A repeat changes nothing.

    Where the extension pgvector was added meanwhile, the table of vectors is made.

    All pending migrations run in one transaction. Of two migrators at a time, one waits and then finds nothing to do.

    Raises:
        AtomError: DBA001 nothing answers, DBA002 the migrator's login is refused, DBA009 its password file is missing
            (an administrator is needed once), DBA013 the database is newer, DBA014 a migration failed, and what
            `bootstrap` raises.
    """
    if admin is not None:
        bootstrap(admin)
    dsn = address.dsn(DatabaseRole.MIGRATOR)
    try:
        return _upgrade(dsn)
    except psycopg.errors.InsufficientPrivilege as error:
        raise AtomError(codes.ADMIN_NEEDED, str(error.diag.message_primary)) from error


def _upgrade(dsn: str) -> MigrationStatus:
    import sqlalchemy
    from alembic import command

    opened = connect(dsn)
    opened.autocommit = False
    opened.row_factory = psycopg.rows.tuple_row  # type: ignore[assignment]  # SQLAlchemy reads rows by position
    engine = sqlalchemy.create_engine("postgresql+psycopg://", creator=lambda: opened, poolclass=sqlalchemy.NullPool)
    try:
        with engine.begin() as connection:
            named = queries.load(__file__)
            named.lock_bootstrap(opened)
            named.become_owner(opened)
            named.create_schema(opened)
            found = _status(_current(opened))
            if found.ahead:
                raise AtomError(codes.SCHEMA_AHEAD, f"the database is at {found.current}, this program at {found.head}")
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            named.add_knowledge_vectors(opened)
            return _status(_current(opened))
    except psycopg.OperationalError as error:
        raise translated(error, opened) or unreachable(error) from error
    finally:
        opened.close()


def _current(connection: psycopg.Connection[Any]) -> str | None:
    named = queries.load(__file__)
    if not named.has_version_table(connection):
        return None
    return named.current_version(connection)  # type: ignore[no-any-return]  # aiosql's queries are untyped


def _status(current: str | None) -> MigrationStatus:
    scripts = _scripts()
    known = [script.revision for script in scripts.walk_revisions()][::-1]  # oldest first
    head = known[-1]
    if current is None:
        return MigrationStatus(None, head, tuple(known), ahead=False)
    if current not in known:
        return MigrationStatus(current, head, (), ahead=True)
    return MigrationStatus(current, head, tuple(known[known.index(current) + 1 :]), ahead=False)


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config())
