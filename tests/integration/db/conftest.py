"""Every server the schema is tested on, migrated, once for the session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.servers.postgres import SERVERS, Server

from atomctl.db.migrate import migrate


@pytest.fixture(scope="session", params=SERVERS)
def each_server(request: pytest.FixtureRequest, server_folder: Path) -> Iterator[Server]:
    """A migrated server of each version in turn."""
    with SERVERS[request.param](server_folder / request.param.replace(" ", "-").replace(",", "")) as server:
        migrate(server.address, server.admin)
        yield server
