"""Running a folder of SQL files as one migration."""

from __future__ import annotations

from pathlib import Path

import psycopg
from alembic import op

from atomctl.db import codes
from atomctl.errors import AtomError

SQL = Path(__file__).parent / "sql"


def run_folder(revision: str) -> None:
    """Executes `sql/<revision>/*.sql` in the order of their names, on the connection of the migration in hand.

    Raises:
        AtomError: DBA014 a statement failed; the message names file and line.
    """
    connection = op.get_bind().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    for file in sorted((SQL / revision).glob("*.sql")):
        text = file.read_text(encoding="utf-8")
        try:
            # Bytes without parameters go to the server as they are, all statements of the file at once.
            connection.execute(text.encode())
        except psycopg.Error as error:
            raise AtomError(codes.MIGRATION_FAILED, f"{revision}/{file.name}{_line(text, error)}: {error}") from error


def _line(text: str, error: psycopg.Error) -> str:
    position = error.diag.statement_position
    return f":{text.count(chr(10), 0, int(position)) + 1}" if position else ""
