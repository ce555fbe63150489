"""Opening connections, and PostgreSQL's own failures said in ATOM's codes."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import errors
from psycopg.rows import dict_row

from atomctl.db import codes
from atomctl.errors import AtomError

SESSION = "-c timezone=UTC -c search_path=atom -c idle_in_transaction_session_timeout=300000"
"""Every session speaks UTC, resolves bare names in schema `atom` alone, and loses a transaction forgotten for 5 min."""

_REFUSED = ("password authentication failed", "no password supplied", "does not exist", "no pg_hba.conf entry")


def connect(conninfo: str = "", **parameters: Any) -> psycopg.Connection[dict[str, Any]]:
    """A connection in autocommit mode whose rows are dicts.

    Raises:
        AtomError: DBA001 nothing answers, DBA002 the server refused the login.
    """
    try:
        return psycopg.connect(conninfo, autocommit=True, row_factory=dict_row, **parameters)
    except psycopg.OperationalError as error:
        raise unreachable(error) from error


def unreachable(error: psycopg.Error) -> AtomError:
    """What a failed connection means: refused (the login is wrong) or unavailable (nothing answers)."""
    why = " ".join(str(error).split())
    # libpq reports a failed login without an SQLSTATE, so its words are all there is.
    refused = any(phrase in why for phrase in _REFUSED)
    return AtomError(codes.LOGIN_REFUSED if refused else codes.UNAVAILABLE, why)


def translated(error: psycopg.Error, connection: psycopg.Connection[Any]) -> AtomError | None:
    """The ATOM error behind `error`, or None if it is about the statement and the caller's to judge."""
    if isinstance(error, errors.DiskFull):
        return AtomError(codes.DISK_FULL, f"PostgreSQL: {error}")
    if connection.closed and isinstance(error, (psycopg.OperationalError, psycopg.InterfaceError)):
        return AtomError(codes.UNAVAILABLE, " ".join(str(error).split()))
    return None
