"""An audit log that is written to: a key, a sequencer, and short ways to record."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.audit.sequencer import Sequencer
from atomctl.db.address import DatabaseAddress
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions


@pytest.fixture
def key(tmp_path: Path) -> FileKey:
    return create_key(tmp_path / "keys" / "audit.key")


@pytest.fixture
def another(database: DatabaseAddress, key: FileKey) -> Callable[..., Sequencer]:
    """Makes a further sequencer of the same log."""
    return functools.partial(Sequencer, database.dsn(DatabaseRole.SEQUENCER), key)


@pytest.fixture
def sequencer(another: Callable[..., Sequencer]) -> Sequencer:
    return another()


@pytest.fixture
def tenant(make_tenant: Callable[[str], UUID]) -> UUID:
    return make_tenant("acme")


@pytest.fixture
def note_down(sessions: Sessions) -> Callable[..., list[UUID]]:
    """Records `count` entries of a tenant in one transaction; their ids."""

    def write(tenant_id: UUID, count: int = 1, run_id: UUID | None = None) -> list[UUID]:
        with sessions.tenant(tenant_id) as connection:
            return [
                record(connection, tenant_id, Entry(action="test.happened", subject=f"thing/{number}", run_id=run_id))
                for number in range(count)
            ]

    return write


@pytest.fixture
def running() -> Callable[..., AbstractContextManager[None]]:
    """Runs sequencers in threads while the context is open."""

    @contextmanager
    def run(*sequencers: Sequencer) -> Iterator[None]:
        stop = threading.Event()
        threads = [threading.Thread(target=one.run, args=(stop,), daemon=True) for one in sequencers]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)

    return run


@pytest.fixture
def superuser(postgres: EmbeddedPostgres, database: DatabaseAddress) -> Iterator[Connection]:
    """A superuser who switched every protection off: what only a checkpoint kept elsewhere stands against."""
    connection = postgres.admin.connect(database.dbname)
    connection.execute("SET session_replication_role = replica")
    with connection:
        yield connection
