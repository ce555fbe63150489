"""Transactions that belong to one tenant."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from atomctl.db import codes, queries
from atomctl.db.address import DatabaseAddress
from atomctl.db.connections import SESSION, connect, translated
from atomctl.db.guard import require_bound
from atomctl.db.roles import SERVING, DatabaseRole
from atomctl.errors import AtomError

Connection: TypeAlias = psycopg.Connection[dict[str, Any]]

CHECKOUT_TIMEOUT = 10.0
"""Seconds a caller waits for a free connection before it is told that the database is not available."""


class Sessions:
    """A pool of connections of one serving role, handed out one transaction at a time.

    Args:
        address: where the database is.
        role: the role of this process.
        min_size: connections kept open.
        max_size: connections opened at most; callers beyond that wait.
        name: what `pg_stat_activity` shows.

    Raises:
        AtomError: DBA001 nothing answers, DBA002 the login is refused, DBA003 the role is not bound by row level
            security, DBA009 and DBA010 its password file is missing or readable by others.
    """

    def __init__(
        self,
        address: DatabaseAddress,
        role: DatabaseRole = DatabaseRole.APP,
        *,
        min_size: int = 1,
        max_size: int = 10,
        name: str = "atomctl",
    ) -> None:
        if role not in SERVING:
            raise AtomError(codes.UNSAFE_ROLE, f"{role} is not a role to serve with")
        self._queries = queries.load(__file__)
        login = {**address.parameters(role), "options": SESSION, "application_name": name}
        # The first connection is made outside the pool, which would retry a refused login until its timeout.
        with connect(**login) as first:
            require_bound(first)
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            kwargs={**login, "autocommit": True, "row_factory": dict_row},
            min_size=min_size,
            max_size=max_size,
            timeout=CHECKOUT_TIMEOUT,
            check=ConnectionPool.check_connection,
            name=name,
            open=True,
        )

    @contextmanager
    def tenant(self, tenant_id: UUID) -> Iterator[Connection]:
        """One transaction that sees and writes `tenant_id`'s rows alone; committed at the end, rolled back on error.

        Raises:
            AtomError: DBA001 no connection or it broke (nothing was committed), DBA006 the database's disk is full.
        """
        # Only a real UUID names a tenant: what a caller passes as text has not been looked up anywhere.
        if not isinstance(tenant_id, UUID):
            raise TypeError(f"a tenant is named by a UUID, got {type(tenant_id).__name__}")
        with self._transaction() as connection:
            self._queries.choose_tenant(connection, tenant=str(tenant_id))
            yield connection

    @contextmanager
    def deployment(self) -> Iterator[Connection]:
        """One transaction without a tenant: it sees no row of a tenant table, only what is on the reviewed list.

        Raises:
            AtomError: DBA001 no connection or it broke (nothing was committed), DBA006 the database's disk is full.
        """
        with self._transaction() as connection:
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        try:
            with self._pool.connection() as connection:
                try:
                    with connection.transaction():
                        yield connection
                except psycopg.Error as error:
                    known = translated(error, connection)
                    if known is None:
                        raise
                    raise known from error
        except PoolTimeout as error:
            raise AtomError(codes.UNAVAILABLE, f"no connection within {CHECKOUT_TIMEOUT:.0f} s: {error}") from error

    def close(self) -> None:
        """Closes the connections; transactions still open are rolled back by the server. May be called twice."""
        self._pool.close()

    def __enter__(self) -> Sessions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
