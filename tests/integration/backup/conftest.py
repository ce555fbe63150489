"""Real servers with a log, people and packages' worth of rows in them, and all that backs them up."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.backed_up import Yard, make_yard
from tests.fakes.locked_memory import LockedMemory
from tests.servers.postgres import SERVERS, wheel

from atomctl.db.migrate import migrate


@pytest.fixture(scope="session")
def yards(server_folder: Path) -> Iterator[Callable[[str], Yard]]:
    """A migrated server of the named version, with its own instance folder; started when first asked for."""
    opened: dict[str, Yard] = {}
    stops = []

    def yard(name: str) -> Yard:
        if name not in opened:
            folder = server_folder / f"backup-{len(opened)}"
            context = SERVERS[name](folder)
            server = context.__enter__()
            stops.append(context)
            migrate(server.address, server.admin)
            opened[name] = make_yard(server, folder)
            opened[name].work(20)
        return opened[name]

    yield yard
    for context in stops:
        context.__exit__(None, None, None)


@pytest.fixture
def yard(yards: Callable[[str], Yard]) -> Yard:
    """PostgreSQL 18 as it is embedded."""
    return yards("PostgreSQL 18, embedded")


@pytest.fixture(params=["PostgreSQL 18, embedded", "PostgreSQL 16, embedded", "PostgreSQL 15, external"])
def each_yard(request: pytest.FixtureRequest, yards: Callable[[str], Yard]) -> Yard:
    """Each server in turn."""
    return yards(request.param)


@pytest.fixture
def own_yard(server_folder: Path) -> Iterator[Callable[[], Yard]]:
    """Makes a server for one test alone, which may kill it."""
    folder = Path(tempfile.mkdtemp(prefix="own-", dir=server_folder))
    folder.chmod(0o711)
    context = wheel(folder / "home", 18)
    server = context.__enter__()

    def make() -> Yard:
        migrate(server.address, server.admin)
        return make_yard(server, folder / "home")

    yield make
    context.__exit__(None, None, None)
    shutil.rmtree(folder)


@pytest.fixture
def store() -> LockedMemory:
    return LockedMemory()


@pytest.fixture
def target(server_folder: Path) -> Path:
    """A folder that does not exist, where the server's user could reach it."""
    folder = Path(tempfile.mkdtemp(prefix="restored-", dir=server_folder))
    folder.chmod(0o711)
    return folder / "home"
