"""What only an administrator may do, once for each server and database: the database, the roles, their memberships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import Connection, errors, sql

from atomctl.db import codes, credentials, queries
from atomctl.db.roles import OWNER, RELAY, DatabaseRole
from atomctl.errors import AtomError

if TYPE_CHECKING:
    from atomctl.db.address import AdminLogin

OLDEST = 15_00_00
"""PostgreSQL 15, as `server_version_num` counts."""

MEMBERSHIPS = (
    (OWNER, DatabaseRole.MIGRATOR),  # a migration runs as the owner
    (RELAY, OWNER),  # the owner may hand a function over to the relay
    (DatabaseRole.ENGINE, OWNER),  # the owner may create the engine's schema for it
)
"""(role, member): the only memberships. No role that logs in inherits: a right is used only after SET ROLE."""


def ensure_database(admin: AdminLogin) -> None:
    """Afterwards the address's database exists; an existing one is left as it is."""
    with admin.connect("postgres") as connection:
        name = admin.address.dbname
        if queries.load(__file__).database_exists(connection, name=name) is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            except errors.DuplicateDatabase:
                return


def bootstrap(admin: AdminLogin) -> None:
    """Afterwards every role exists with its memberships and its rights on the address's database.

    Passwords of new roles come from the credentials folder, where missing files are made. The password of a role that
    exists is never changed: another machine may be using it.

    Raises:
        AtomError: DBA009 a role exists whose password file is missing here, DBA015 the administrator may not do it,
            DBA016 the server is too old, DBA021 the database is not encoded in UTF-8.
    """
    with admin.connect() as connection:
        named = queries.load(__file__)
        version = named.server_version(connection)
        if version < OLDEST:
            raise AtomError(codes.VERSION_UNSUPPORTED, f"the server is PostgreSQL {version // 10000}")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise AtomError(codes.ENCODING_UNSUPPORTED, f"the database {admin.address.dbname} is {encoding}")
        try:
            with connection.transaction():
                named.lock_bootstrap(connection)
                _create_roles(connection, admin)
                _grant_memberships(connection)
                _grant_database(connection, admin.address.dbname)
                _grant_backup(connection)
                _add_vectors(connection)
        except errors.InsufficientPrivilege as error:
            raise AtomError(codes.ADMIN_NEEDED, f"{admin.user}: {error.diag.message_primary}") from error


def _create_roles(connection: Connection[dict[str, Any]], admin: AdminLogin) -> None:
    known = {row["name"] for row in queries.load(__file__).roles(connection)}
    # The owner inherits from the relay, or a migration could not grant what it has just handed over.
    for role, clause in ((OWNER, sql.SQL("NOLOGIN INHERIT")), (RELAY, sql.SQL("NOLOGIN NOINHERIT"))):
        if role not in known:
            connection.execute(sql.SQL("CREATE ROLE {} {}").format(sql.Identifier(role), clause))
    folder = admin.address.credentials
    for login in DatabaseRole:
        if login in known:
            credentials.password_file(folder, login)
            continue
        credentials.ensure_password(folder, login)
        # The server gets the SCRAM verifier, so a statement log cannot hold the password.
        password = credentials.read_login(folder, login).password
        verifier = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256")
        connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN NOINHERIT PASSWORD {}").format(
                sql.Identifier(login), sql.Literal(verifier.decode())
            )
        )


def _grant_memberships(connection: Connection[dict[str, Any]]) -> None:
    for role, member in MEMBERSHIPS:
        if not queries.load(__file__).is_member(connection, role=str(role), member=str(member)):
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(role), sql.Identifier(member)))


def _grant_database(connection: Connection[dict[str, Any]], dbname: str) -> None:
    """Only ATOM's roles may connect; only the owner may create schemas; nobody may make temporary tables."""
    database = sql.Identifier(dbname)
    logins = sql.SQL(", ").join(sql.Identifier(role) for role in DatabaseRole)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, logins))
    connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO {}").format(database, sql.Identifier(OWNER)))


def _grant_backup(connection: Connection[dict[str, Any]]) -> None:
    """Lets the backup role copy the server and read all rows, if the administrator may let it.

    Only a superuser may, and a hosted server gives nobody that right: such a server is backed up by its host, and
    `atomctl backup create` refuses there and says why.
    """
    rights = queries.load(__file__).backup_rights(connection)
    if rights["granted"] or not rights["grantable"]:
        return
    role = sql.Identifier(DatabaseRole.BACKUP)
    connection.execute(sql.SQL("ALTER ROLE {} REPLICATION BYPASSRLS").format(role))
    connection.execute(sql.SQL("GRANT EXECUTE ON FUNCTION pg_catalog.pg_create_restore_point(text) TO {}").format(role))


def _add_vectors(connection: Connection[dict[str, Any]]) -> None:
    """Adds pgvector where the server has it and the administrator is a superuser, which alone may add it.

    Elsewhere the database's owner has it added, and the next migration finds it.
    """
    named = queries.load(__file__)
    if named.vectors_to_add(connection):
        named.add_vectors(connection)
