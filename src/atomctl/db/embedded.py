"""The embedded PostgreSQL of a home: one server, reached by a Unix socket, owned by one process."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from atomctl.db import bootstrap, codes, credentials
from atomctl.db.accounts import server_account
from atomctl.db.address import AdminLogin, DatabaseAddress, admin_from_credentials
from atomctl.db.binaries import Binaries, reachable, wheel_binaries
from atomctl.db.cluster import Cluster
from atomctl.db.home import HomeLock, prepare_home, require_reachable
from atomctl.db.roles import ADMIN
from atomctl.db.sockets import PORT, prepare_socket_folder, socket_folder
from atomctl.errors import AtomError

DATABASE = "atom"


def embedded_address(home: Path) -> DatabaseAddress:
    """Where the server of `home` is reached while it runs; touches nothing."""
    return DatabaseAddress(str(socket_folder(home / "postgres")), PORT, DATABASE, home / "credentials")


class EmbeddedPostgres:
    """The server of a home, from `start()` to `stop()`.

    Under the home lie `postgres/` (data, socket, log and, where needed, binaries; of the server's user),
    `credentials/` (one password file for each role) and `up.lock`.

    Args:
        home: the home folder; created when missing.
        options: further server settings; tests turn `fsync` off.
        binaries: another server than the wheel's PostgreSQL 18.
    """

    def __init__(self, home: Path, options: Mapping[str, str] | None = None, binaries: Binaries | None = None) -> None:
        self._home = home.absolute()
        self._options = dict(options or {})
        self._binaries = binaries
        self._lock: HomeLock | None = None
        self._cluster: Cluster | None = None

    @property
    def admin(self) -> AdminLogin:
        """The server's superuser, for bootstrap and migrations.

        Raises:
            AtomError: DBA009 the home has no credentials, DBA010 others can read them.
        """
        return admin_from_credentials(embedded_address(self._home))

    @property
    def running(self) -> bool:
        """Whether the server process is alive."""
        return self._cluster is not None and self._cluster.running

    def start(self) -> DatabaseAddress:
        """Afterwards the server answers and has the database `atom`; the address of it.

        A server left over from a killed process is stopped first; PostgreSQL recovers what it had committed.

        Raises:
            AtomError: DBA004 another process runs the home, DBA005 the home cannot be used, DBA006 the disk is full,
                DBA007 or DBA020 its files cannot, DBA008 no binaries, DBA009 files without credentials, DBA017 not
                ready in time, DBA018 no system user.
        """
        account = server_account()
        prepare_home(self._home, account)
        lock = HomeLock(self._home)
        lock.acquire()
        try:
            base = self._home / "postgres"
            account.passable_folder(base)
            require_reachable(base, account)
            sockets = socket_folder(base)
            prepare_socket_folder(sockets, account)
            binaries = reachable(self._binaries or wheel_binaries(), account, base)
            self._cluster = Cluster(binaries, base, sockets, account, self._options)
            self._start(self._cluster)
        except BaseException as error:
            self._abandon(lock)
            if isinstance(error, OSError):
                raise AtomError(codes.HOME_UNUSABLE, f"{error.filename or self._home}: {error.strerror}") from error
            raise
        self._lock = lock
        return embedded_address(self._home)

    def _start(self, cluster: Cluster) -> None:
        folder = self._home / "credentials"
        if not cluster.data.exists():
            # The password file comes first: a data directory whose password nobody knows could only be thrown away.
            credentials.ensure_password(folder, ADMIN)
            cluster.initialise(credentials.read_login(folder, ADMIN).password)
        cluster.start()
        bootstrap.ensure_database(self.admin)

    def restart(self) -> None:
        """Starts the server anew after it died; the home stays taken meanwhile.

        Raises:
            AtomError: DBA006, DBA007, DBA017 as for `start`.
        """
        assert self._cluster is not None, "start() comes first"
        self._cluster.stop()
        self._cluster.start()

    def _abandon(self, lock: HomeLock) -> None:
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.stop()
        lock.release()

    def stop(self) -> None:
        """Afterwards no process of the server is left and the home is free; a second call does nothing."""
        if self._lock is not None:
            lock, self._lock = self._lock, None
            self._abandon(lock)

    def __enter__(self) -> DatabaseAddress:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
