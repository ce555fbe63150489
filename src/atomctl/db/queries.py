"""Named SQL: each domain keeps its statements in a `queries.sql` beside its code."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import aiosql
from aiosql.adapters.pyformat import PyFormatAdapter

FILE = "queries.sql"


class _DictRows(PyFormatAdapter):
    """aiosql's psycopg adapter for connections whose rows are dicts."""

    def insert_returning(self, conn: Any, query_name: str, sql: str, parameters: Any) -> Any:
        # aiosql's own takes element 0 of a row with one column, which a dict does not have.
        return self.select_one(conn, query_name, sql, parameters)  # type: ignore[no-untyped-call]  # aiosql is untyped


@functools.cache
def load(beside: str, name: str = FILE) -> Any:
    """The queries of the file `name` in the folder of the module file `beside` (pass `__file__`).

    Each query is a function `query(connection, **parameters)`; its suffix in the file says what it returns: none = an
    iterator of rows, `^` = one row or None, `$` = one value, `!` = the number of rows, `<!` = the returned row or None.
    Rows are dicts. The functions come from a file, so their types are `Any`.
    """
    return aiosql.from_path(Path(beside).parent / name, _DictRows)
