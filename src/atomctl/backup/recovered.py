"""A server on a restored data directory: recovered to the marker, reachable by this process alone.

Nothing of the configuration that came with the backup is used: a restored archive command would write into the
archive of the server that lives on. Who may log in is told by the kernel: the user that runs this process, over a
socket in a private folder (peer authentication), so no password of the restored roles is needed.
"""

from __future__ import annotations

import os
import pwd
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from atomctl.backup import codes
from atomctl.backup.facts import Connection
from atomctl.backup.model import Statement
from atomctl.db import queries
from atomctl.db.accounts import Account
from atomctl.db.binaries import Binaries
from atomctl.db.cluster import Cluster
from atomctl.db.connections import SESSION, connect
from atomctl.db.roles import DatabaseRole
from atomctl.db.sockets import PORT, prepare_socket_folder, socket_folder
from atomctl.errors import AtomError

_sql: Any = queries.load(__file__)
_MAP = "restored"
_POLL = 0.02
_RECOVERY_SECONDS = 600.0

_QUIET: Mapping[str, str] = {
    "archive_mode": "off",
    "shared_preload_libraries": "",
    "hot_standby": "off",
    "primary_conninfo": "",
    "restore_command": "false",
    "logging_collector": "off",
    "ssl": "off",
    "autovacuum": "off",
    "max_connections": "20",
}
"""Whatever the backup says: the server talks to nobody and changes nothing by itself."""


class RecoveredServer:
    """The server, from `start` to `stop`; a context manager.

    Args:
        base: a folder whose `data` was unpacked; the log and the configuration come beside it.
        statement: of the set that was unpacked.
        binaries: of the server's version.
        account: who runs it.
        durable: False for what is thrown away afterwards: faster, and lost in a power cut.
    """

    def __init__(
        self, base: Path, statement: Statement, binaries: Binaries, account: Account, *, durable: bool
    ) -> None:
        self._base = base
        self._statement = statement
        self._account = account
        self._durable = durable
        self._configuration = base / "configuration"
        self._sockets = socket_folder(base)
        self._cluster = Cluster(binaries, base, self._sockets, account, self._options())

    def _options(self) -> dict[str, str]:
        return {
            **_QUIET,
            "config_file": str(self._configuration / "postgresql.conf"),
            "hba_file": str(self._configuration / "pg_hba.conf"),
            "ident_file": str(self._configuration / "pg_ident.conf"),
            "recovery_target": "",
            "recovery_target_name": self._statement.span.marker,
            "recovery_target_timeline": "current",
            "recovery_target_action": "promote",
            "fsync": "on" if self._durable else "off",
        }

    def start(self) -> None:
        """Afterwards the server has recovered to the marker and accepts connections.

        Raises:
            AtomError: BAK014 it did not; BAK017 the disk is full.
        """
        self._configure()
        try:
            prepare_socket_folder(self._sockets, self._account)
            self._cluster.start()
            self._await_recovery()
        except AtomError as error:
            self.stop()
            code = codes.NO_ROOM if error.code.id == "DBA006" else codes.RESTORE_FAILED
            raise AtomError(code, f"set {self._statement.id}: {error.why}") from error
        except BaseException:
            self.stop()
            raise

    def _configure(self) -> None:
        self._account.private_folder(self._configuration)
        user = pwd.getpwuid(os.geteuid()).pw_name
        roles = (DatabaseRole.BACKUP, DatabaseRole.SEQUENCER)
        texts = {
            "postgresql.conf": "",
            "pg_hba.conf": f"local all all peer map={_MAP}\n",
            "pg_ident.conf": "".join(f'{_MAP} "{user}" {role}\n' for role in roles),
        }
        for name, text in texts.items():
            file = self._configuration / name
            file.write_text(text)
            file.chmod(0o600)
            self._account.own(file)

    def _await_recovery(self) -> None:
        """The pid file says "ready" a moment before recovery has ended; the server itself is asked."""
        deadline = time.monotonic() + _RECOVERY_SECONDS
        with self.connect(DatabaseRole.BACKUP) as connection:
            while _sql.recovering(connection):
                if time.monotonic() > deadline:
                    why = f"it is still recovering after {_RECOVERY_SECONDS:.0f} s"
                    raise AtomError(codes.RESTORE_FAILED, why)
                time.sleep(_POLL)

    def connect(self, role: DatabaseRole) -> Connection:
        """A connection of the backup role or the sequencer's.

        Raises:
            AtomError: DBA001, DBA002 it does not answer or not to us.
        """
        return connect(
            host=str(self._sockets),
            port=str(PORT),
            dbname=self._statement.server.database,
            user=str(role),
            options=SESSION,
            application_name="atomctl restore",
        )

    def stop(self) -> None:
        """Afterwards the server is shut down in order, and nothing but `data` and its log is left in the folder."""
        self._cluster.stop()
        shutil.rmtree(self._configuration, ignore_errors=True)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
