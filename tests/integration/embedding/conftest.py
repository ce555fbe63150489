"""What a test does to the database that ATOM's own roles may not do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from atomctl.db.address import DatabaseAddress, admin_from_credentials


@pytest.fixture
def postgres_statement(database: DatabaseAddress) -> Callable[[str], None]:
    """Executes a statement as the administrator."""

    def execute(statement: str) -> None:
        admin = admin_from_credentials(database)
        assert admin is not None
        with admin.connect(database.dbname) as connection:
            connection.execute(statement.encode())

    return execute
