"""Real PostgreSQL servers: the wheel's 18 and 16 as ATOM embeds them, Debian's 15 as an external server over TCP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.requirement import require

from atomctl.db import credentials
from atomctl.db.accounts import server_account
from atomctl.db.address import AdminLogin, DatabaseAddress, external
from atomctl.db.binaries import Binaries, wheel_binaries
from atomctl.db.bootstrap import ensure_database
from atomctl.db.cluster import Cluster
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.roles import ADMIN

QUICK: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "200",
}
"""What a test loses in a power cut is worth nothing; the product never sets these."""

DEBIAN = Path("/usr/lib/postgresql/15/bin")


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


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def debian(folder: Path) -> Iterator[Server]:
    """Debian's PostgreSQL 15 in `folder`, reached as an external server: by URL, over TCP, with an administrator."""
    require((DEBIAN / "postgres").exists(), "Debian's PostgreSQL 15", "apt-get install postgresql-15")
    account = server_account()
    base, sockets = folder / "server", folder / "socket"
    folder.mkdir(mode=0o711)
    account.passable_folder(base)
    account.private_folder(sockets)
    port = free_port()
    options = {**QUICK, "listen_addresses": "127.0.0.1", "port": str(port)}
    cluster = Cluster(Binaries(DEBIAN, 15), base, sockets, account, options)
    credentials.ensure_password(folder / "initial", ADMIN)
    password = credentials.read_login(folder / "initial", ADMIN).password
    cluster.initialise(password)
    cluster.start()
    try:
        address, admin = external(f"postgresql://{ADMIN}:{password}@127.0.0.1:{port}/atom", folder / "credentials")
        assert admin is not None
        ensure_database(admin)
        yield Server(address, admin)
    finally:
        cluster.stop()


SERVERS: Mapping[str, Callable[[Path], AbstractContextManager[Server]]] = {
    "PostgreSQL 18, embedded": lambda folder: wheel(folder, 18),
    "PostgreSQL 16, embedded": lambda folder: wheel(folder, 16),
    "PostgreSQL 15, external": debian,
}
"""Every server the schema is tested on."""
