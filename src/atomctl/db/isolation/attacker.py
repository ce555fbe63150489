"""Statements tried as a role and a tenant, each under a savepoint that is always rolled back."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, assert_never
from uuid import UUID

import psycopg
from psycopg import errors, sql

from atomctl.db import queries
from atomctl.db.ids import new_id

GAVE_WAY = (errors.DeadlockDetected, errors.LockNotAvailable)
"""What a probe on a live database ends with when somebody else needs what it has locked; it says nothing about rows."""


class Visitor(enum.Enum):
    """Whom a transaction claims to be: what it puts into `app.tenant`."""

    TENANT = "the tenant"
    NOBODY = "nobody"
    STRANGER = "a tenant that does not exist"
    GARBAGE = "garbage"

    def setting(self, tenant: UUID) -> str:
        """The value of `app.tenant`."""
        match self:
            case Visitor.TENANT:
                return str(tenant)
            case Visitor.NOBODY:
                return ""
            case Visitor.STRANGER:
                return str(new_id())
            case Visitor.GARBAGE:
                return "' OR true --"
            case _:
                assert_never(self)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tried statement did before it was rolled back."""

    touched: int = 0
    """Rows seen or written."""
    tenants: frozenset[str] = frozenset()
    """Whose rows were shown."""
    error: psycopg.Error | None = None

    @property
    def refused(self) -> bool:
        """Whether a right was missing or the visitor's setting was no tenant at all."""
        return isinstance(self.error, (errors.InsufficientPrivilege, errors.InvalidTextRepresentation))

    @property
    def refused_by_policy(self) -> bool:
        """Whether a policy refused the row; told by its words, because a missing grant has the same SQLSTATE."""
        if isinstance(self.error, errors.InvalidTextRepresentation):
            return True
        return isinstance(self.error, errors.InsufficientPrivilege) and "row-level security" in str(self.error)

    @property
    def words(self) -> str:
        """The outcome for a report; names no value of a row."""
        if self.error is not None:
            return f"{self.error.sqlstate} {self.error.diag.message_primary}"
        return f"{self.touched} rows"


@dataclass(slots=True)
class Attacker:
    """A role in the garb of a visitor, on a superuser's connection inside an open transaction."""

    connection: psycopg.Connection[dict[str, Any]]
    role: str
    setting: str
    attempts: int = field(default=0)

    def attempt(self, statement: sql.Composed) -> Outcome:
        """Tries a statement; nothing of it remains."""
        return self._try(lambda cursor: _run(cursor, statement))

    def copy_out(self, statement: sql.Composed) -> Outcome:
        """Tries `COPY … TO STDOUT` of one text column."""
        return self._try(lambda cursor: _copy_out(cursor, statement))

    def copy_in(self, statement: sql.Composed, row: tuple[str, ...]) -> Outcome:
        """Tries `COPY … FROM STDIN` with one row."""
        return self._try(lambda cursor: _copy_in(cursor, statement, row))

    def _try(self, act: Callable[[psycopg.Cursor[dict[str, Any]]], Outcome]) -> Outcome:
        self.attempts += 1
        outcome = Outcome()
        try:
            with self.connection.transaction(force_rollback=True), self.connection.cursor() as cursor:
                queries.load(__file__).become(self.connection, role=self.role, tenant=self.setting)
                outcome = act(cursor)
        except GAVE_WAY:
            raise
        except psycopg.Error as error:
            return Outcome(error=error)
        return outcome


def _run(cursor: psycopg.Cursor[dict[str, Any]], statement: sql.Composed) -> Outcome:
    cursor.execute(statement)
    shown = cursor.fetchall() if cursor.description else []
    return Outcome(cursor.rowcount, frozenset(str(row["tenant"]) for row in shown))


def _copy_out(cursor: psycopg.Cursor[dict[str, Any]], statement: sql.Composed) -> Outcome:
    with cursor.copy(statement) as copy:
        tenants = [str(row[0]) for row in copy.rows()]
    return Outcome(len(tenants), frozenset(tenants))


def _copy_in(cursor: psycopg.Cursor[dict[str, Any]], statement: sql.Composed, row: tuple[str, ...]) -> Outcome:
    with cursor.copy(statement) as copy:
        copy.write_row(row)
    return Outcome(cursor.rowcount)
