"""A complete instance on this machine: database, server and worker, started and stopped as one."""

from __future__ import annotations

import getpass
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from atomctl.cli import codes, contexts
from atomctl.cli.auth import save_identity
from atomctl.cli.instance import Instance
from atomctl.cli.listening import listen, url
from atomctl.cli.processes import Child, Restarts
from atomctl.cli.progress import busy
from atomctl.cli.stopping import StopSignals
from atomctl.client import Client
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.home import HomeLock
from atomctl.db.migrate import migrate
from atomctl.errors import AtomError
from atomctl.settings import Settings
from atomctl.wiring import database, prepare_instance

Say = Callable[[str], None]
_READY_SECONDS = 60.0
_LOOK_EVERY_SECONDS = 0.2
OWNER_ROLES = ("author", "operator", "approver", "admin", "auditor")
"""What the person who starts an instance may do. Their own requests still take somebody else's vote."""


class LocalInstance:
    """One instance, from `start()` to `stop()`; a context manager.

    Args:
        settings: home, host and port; the database too, where it is an external one.
        say: told what is being done, a line at a time.
    """

    def __init__(self, settings: Settings, say: Say) -> None:
        self._settings = settings
        self._say = say
        self._stack = ExitStack()
        self._children: list[Child] = []
        self._postgres: EmbeddedPostgres | None = None
        self._postgres_restarts = Restarts()
        self._signals = StopSignals()
        self.api_url = ""

    def __enter__(self) -> LocalInstance:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """The server answers and a worker runs afterwards; contexts for this machine are in the home.

        Raises:
            AtomError: CLI011 the port is taken, CLI012 a process died, DBA004 another process runs the home, DBA0xx
                the database cannot be used.
        """
        home = self._settings.home
        self._take_home()
        listener = listen(self._settings.host, self._settings.port)
        self._stack.callback(listener.close)
        self.api_url = url(listener)
        if self._settings.database_url is None:
            with self._stage("starting PostgreSQL"):
                self._postgres = EmbeddedPostgres(home)
                self._stack.callback(self._postgres.stop)
                self._postgres.start()
        with self._stage("migrating the database"), self._signals.held():
            address, admin = database(self._settings)
            migrate(address, admin)
            tenant = prepare_instance(self._settings)
        with self._stage("starting the server and a worker"), self._signals.held():
            self._start_children(listener)
            self._wait_until_ready()
        instance = Instance(self.api_url, str(tenant), os.getpid())
        instance.save(home)
        contexts.readdress(contexts.folders(home)[0], self.api_url)
        save_identity(instance, home, getpass.getuser(), OWNER_ROLES, timedelta(hours=12))
        contexts.use(contexts.folders(home)[0], getpass.getuser())

    def expect_end(self) -> None:
        """From now on SIGINT and SIGTERM break nothing off: they are the ordinary end that `watch` waits for."""
        self._signals.interrupting = False

    def watch(self) -> None:
        """Returns when the instance was told to end (SIGINT, SIGTERM); restarts what dies meanwhile.

        Raises:
            AtomError: CLI012 a process dies again and again.
        """
        while not self._signals.asked:
            time.sleep(_LOOK_EVERY_SECONDS)
            if self._postgres is not None and not self._postgres.running:
                self._restart_postgres(self._postgres)
            for child in self._children:
                if child.ended is not None:
                    self._restart(child)

    def stop(self) -> None:
        """No process of the instance is left afterwards; a second call does nothing."""
        self._signals.interrupting = False
        for child in reversed(self._children):
            child.stop()
        self._children.clear()
        self._stack.close()

    def _take_home(self) -> None:
        """A home in use is refused before anything is started; beside an external database it is taken here."""
        home = self._settings.home
        lock = HomeLock(home)
        if self._settings.database_url is not None:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock.acquire()
            self._stack.callback(lock.release)
        elif home.exists():
            lock.acquire()
            lock.release()  # the embedded database takes it for good

    @contextmanager
    def _stage(self, what: str) -> Iterator[None]:
        self._say(what)
        with busy(what):
            yield
        self._signals.check()

    def _start_children(self, listener: socket.socket) -> None:
        logs = self._settings.home / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        env = {**os.environ, "ATOM_HOME": str(self._settings.home)}
        program = (sys.executable, "-m", "atomctl")
        server = ("server", "--fd", str(listener.fileno()), "--host", self._settings.host)
        for name, arguments, inherited in (("server", server, (listener.fileno(),)), ("worker", ("worker",), ())):
            child = Child(name, (*program, *arguments), env, logs / f"{name}.log", inherited)
            self._children.append(child)
            child.start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        with Client(self.api_url) as client:
            while not client.ready(worker=True):
                self._signals.check()
                for child in self._children:
                    if child.ended is not None:
                        raise AtomError(codes.PROCESS_DIED, f"{child.name} ended, see {child.log}:\n{child.tail()}")
                if time.monotonic() > deadline:
                    raise AtomError(
                        codes.PROCESS_DIED, f"not ready within {_READY_SECONDS:.0f} s; see {self._settings.home}/logs"
                    )
                time.sleep(0.05)

    def _restart(self, child: Child) -> None:
        if not child.restarts.allow():
            raise AtomError(codes.PROCESS_DIED, f"{child.name} dies again and again, see {child.log}:\n{child.tail()}")
        self._say(f"{child.name} ended with status {child.ended}; starting it again")
        child.start()

    def _restart_postgres(self, postgres: EmbeddedPostgres) -> None:
        if not self._postgres_restarts.allow():
            raise AtomError(codes.PROCESS_DIED, f"PostgreSQL dies again and again, see {self._settings.home}/postgres")
        self._say("PostgreSQL ended; starting it again")
        postgres.restart()
