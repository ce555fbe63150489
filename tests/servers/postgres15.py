"""Debian's PostgreSQL 15 as an external server: by URL, over TCP, with an administrator who may create roles."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from tests.servers.process import await_stopped, free_port, log_tail
from tests.servers.requirement import require
from tools.debian import tool

from atomctl.db import credentials, postmaster
from atomctl.db.accounts import server_account
from atomctl.db.address import AdminLogin, DatabaseAddress, external
from atomctl.db.binaries import Binaries
from atomctl.db.bootstrap import ensure_database
from atomctl.db.cluster import Cluster
from atomctl.db.roles import ADMIN


class Postgres15:
    """A server with an empty database `atom` in `folder`, which its system user must be able to reach."""

    name: ClassVar[str] = "postgres15"

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None, *, host: str = "127.0.0.1") -> None:
        """Nothing is started.

        Args:
            folder: of its state; made if missing.
            options: of the server's configuration, over the defaults.
            host: the address of this machine to listen on, such as the one that pods reach.
        """
        program = tool("postgresql").program("postgres")
        require(program.exists(), "PostgreSQL 15, the oldest external server", "make tools")
        binaries, account = Binaries(program.parent, 15), server_account()
        require(binaries.run_by(account), "PostgreSQL 15 for its own user", "apt-get install postgresql-15")
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        base, sockets = folder / "server", folder / "socket"
        for private in (base, sockets):
            account.private_folder(private)
        self.host, self.port = host, free_port()
        self.credentials = folder / "credentials"
        credentials.ensure_password(folder / "initial", ADMIN)
        self._password = credentials.read_login(folder / "initial", ADMIN).password
        address = {"listen_addresses": host, "port": str(self.port)}
        self._cluster = Cluster(binaries, base, sockets, account, {**(options or {}), **address})

    @property
    def url(self) -> str:
        """The administrator's address: the value of `ATOM_DATABASE_URL`. It holds the password."""
        return f"postgresql://{ADMIN}:{self._password}@{self.host}:{self.port}/atom"

    @property
    def address(self) -> DatabaseAddress:
        """The database `atom`, with `credentials` for the roles that are made in it."""
        return external(self.url, self.credentials)[0]

    @property
    def admin(self) -> AdminLogin:
        """Its superuser."""
        admin = external(self.url, self.credentials)[1]
        assert admin is not None
        return admin

    @property
    def log(self) -> Path:
        """What it writes."""
        return self._cluster.log

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._cluster.running

    def start(self) -> None:
        """Afterwards it accepts connections and the database `atom` exists."""
        if not self._cluster.data.exists():
            self._cluster.initialise(self._password)
            with (self._cluster.data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all all scram-sha-256\n")  # initdb lets in this machine's loopback alone
        self._cluster.start()
        try:
            ensure_database(self.admin)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Afterwards no process of it is left, what was committed is on disk; a second call does nothing."""
        self.resume()
        self._cluster.stop()

    def crash(self) -> None:
        """Afterwards it is gone, and the next start recovers what was committed."""
        self._send(signal.SIGKILL)
        self._cluster.stop()

    def restart(self) -> None:
        """Afterwards a new server accepts connections on the same port with the same data."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Afterwards connections are accepted by the system and answered by nobody."""
        self._send(signal.SIGSTOP)
        for pid in postmaster.processes(self._cluster.data):
            await_stopped(pid)

    def resume(self) -> None:
        """Afterwards a paused server goes on where it was."""
        self._send(signal.SIGCONT)

    def _send(self, number: signal.Signals) -> None:
        """To every process of it: each has a session of its own, so there is no group to send to."""
        for pid in postmaster.processes(self._cluster.data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if error is not None:
            error.add_note(log_tail(self.log))
