"""Where a database is, and how a role or an administrator reaches it without showing a password."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from atomctl.db import codes, credentials
from atomctl.db.roles import ADMIN, RESERVED, DatabaseRole
from atomctl.errors import AtomError

if TYPE_CHECKING:
    import psycopg

CONNECT_TIMEOUT = 10
"""Seconds until an address that does not answer is given up."""


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """A database and the credentials folder for it; holds no secret, so it may be logged.

    `host` is a host name or the folder of a Unix socket; `extra` are further libpq parameters such as `sslmode`.
    """

    host: str
    port: int
    dbname: str
    credentials: Path
    extra: tuple[tuple[str, str], ...] = ()

    def parameters(self, role: DatabaseRole) -> dict[str, str]:
        """The libpq parameters of a login as `role`; the password is named by file.

        Raises:
            AtomError: DBA009 the role has no password file, DBA010 others can read it.
        """
        return {
            "host": self.host,
            "port": str(self.port),
            "dbname": self.dbname,
            "connect_timeout": str(CONNECT_TIMEOUT),
            **dict(self.extra),
            "user": str(role),
            "password": "",  # an empty one lets libpq read the file; none at all would let it take PGPASSWORD first
            "passfile": str(credentials.password_file(self.credentials, role)),
        }

    def dsn(self, role: DatabaseRole) -> str:
        """A libpq connection string for `role` that holds no password.

        Raises:
            AtomError: DBA009 the role has no password file, DBA010 others can read it.
        """
        from psycopg.conninfo import make_conninfo

        return make_conninfo(**self.parameters(role))

    def url(self, role: DatabaseRole) -> str:
        """The same as an SQLAlchemy URL for psycopg 3, as the durable engine takes it."""
        parameters = self.parameters(role)
        user, dbname = quote(parameters.pop("user"), safe=""), quote(parameters.pop("dbname"), safe="")
        return f"postgresql+psycopg://{user}@/{dbname}?{urlencode(parameters)}"

    def in_database(self, dbname: str) -> DatabaseAddress:
        """The same server and roles, another database."""
        return dataclasses.replace(self, dbname=dbname)


@dataclass(frozen=True, slots=True)
class AdminLogin:
    """An administrator: may create roles, and databases where that is needed. Only bootstrap and tests use it."""

    address: DatabaseAddress
    user: str
    password: str | None = field(repr=False, default=None)
    """None leaves it to libpq (PGPASSWORD, a password file, a certificate)."""

    def connect(self, dbname: str | None = None) -> psycopg.Connection[dict[str, Any]]:
        """A connection in autocommit mode, to the address's database or another one of the same server.

        Raises:
            AtomError: DBA001 nothing answers, DBA002 the login is refused.
        """
        from atomctl.db.connections import connect

        parameters = {
            "host": self.address.host,
            "port": str(self.address.port),
            "dbname": dbname or self.address.dbname,
            "connect_timeout": str(CONNECT_TIMEOUT),
            "application_name": "atomctl admin",
            **dict(self.address.extra),
            "user": self.user,
        }
        if self.password is not None:
            parameters["password"] = self.password
        return connect(**parameters)


def admin_from_credentials(address: DatabaseAddress) -> AdminLogin:
    """The administrator named by the file `atom_admin` of the credentials folder.

    Raises:
        AtomError: DBA009 there is none, DBA010 others can read it.
    """
    login = credentials.read_login(address.credentials, ADMIN)
    return AdminLogin(address, login.user, login.password)


def external(url: str, folder: Path) -> tuple[DatabaseAddress, AdminLogin | None]:
    """Address and, if the URL or the credentials folder names one, administrator of an external PostgreSQL.

    Raises:
        AtomError: DBA011 the URL cannot be used, DBA010 the administrator's password file can be read by others.
    """
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        given = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
        port = int(given.pop("port", "5432"))
    except (ProgrammingError, ValueError) as error:
        # The parser's own message would repeat the URL, and with it a password.
        raise AtomError(codes.URL_INVALID, "it is not a PostgreSQL connection string with one port") from error
    user, password = given.pop("user", None), given.pop("password", None)
    missing = [name for name in ("host", "dbname") if not given.get(name)]
    if missing:
        raise AtomError(codes.URL_INVALID, f"it names no {' and no '.join(missing)}")
    if user in RESERVED:
        raise AtomError(codes.URL_INVALID, f"{user} is a role of ATOM's own, which logs in from the credentials folder")
    address = DatabaseAddress(given.pop("host"), port, given.pop("dbname"), folder, tuple(sorted(given.items())))
    if user is not None:
        return address, AdminLogin(address, user, password)
    return address, admin_from_credentials(address) if (folder / ADMIN).exists() else None
