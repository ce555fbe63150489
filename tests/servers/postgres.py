"""Real PostgreSQL servers: the wheel's 18 and 16 as ATOM embeds them, Debian's 15 as an external server over TCP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.postgres15 import Postgres15

from atomctl.db.address import AdminLogin, DatabaseAddress
from atomctl.db.binaries import wheel_binaries
from atomctl.db.embedded import EmbeddedPostgres

QUICK: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}
"""What a test loses in a power cut is worth nothing; the product never sets these."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server with an empty database and its administrator."""

    address: DatabaseAddress
    admin: AdminLogin


@contextmanager
def wheel(folder: Path, major: int) -> Iterator[Server]:
    """The wheel's PostgreSQL of a major version, embedded in the home `folder`."""
    server = EmbeddedPostgres(folder, QUICK, wheel_binaries(major))
    with server as address:
        yield Server(address, server.admin)


@contextmanager
def debian(folder: Path) -> Iterator[Server]:
    """Debian's PostgreSQL 15 in `folder`, reached as an external server."""
    with Postgres15(folder, QUICK) as server:
        yield Server(server.address, server.admin)


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "PostgreSQL 18, embedded": lambda folder: wheel(folder, 18),
    "PostgreSQL 16, embedded": lambda folder: wheel(folder, 16),
    "PostgreSQL 15, external": debian,
}
"""Every server the schema is tested on."""
