"""One PostgreSQL server process on one data directory."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from atomctl.db import codes, postmaster
from atomctl.db.accounts import ENVIRONMENT, Account
from atomctl.db.binaries import Binaries
from atomctl.db.orphans import dies_with_parent
from atomctl.db.roles import ADMIN
from atomctl.errors import AtomError

START_TIMEOUT = 120.0
"""Seconds a start may take; crash recovery of a large log is what takes long."""

_LOG_TAIL = 8192
_LOG_LIMIT = 16 << 20


@dataclass(slots=True)
class Cluster:
    """A data directory and the server on it; `base` is a folder of the caller's that holds `data` and the log.

    The server listens on a Unix socket in `sockets` alone, unless `options` say otherwise.
    """

    binaries: Binaries
    base: Path
    sockets: Path
    account: Account
    options: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = field(init=False, default=None)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.base / "data"

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.base / "server.log"

    def initialise(self, password: str) -> None:
        """Creates the data directory with one superuser who logs in by SCRAM; all of it or nothing.

        Raises:
            AtomError: DBA006 the disk is full, DBA007 initdb failed.
        """
        unfinished = self.base / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        self.account.private_folder(unfinished)
        secret = self._secret_file(password)
        try:
            command = [self.binaries.program("initdb"), f"--pgdata={unfinished}", f"--username={ADMIN}"]
            command += [f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums"]
            sync = ["--no-sync"] if self.options.get("fsync") == "off" else []
            done = self._run([*command, *_locale(self.binaries.major), *sync])
            if done.returncode != 0:
                raise _failure("initdb", done.stderr)
            unfinished.rename(self.data)
        finally:
            secret.unlink(missing_ok=True)
            shutil.rmtree(unfinished, ignore_errors=True)

    def _secret_file(self, password: str) -> Path:
        file = self.base / f".initial-{secrets.token_hex(4)}"
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(password + "\n")
        self.account.own(file)
        return file

    def _run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=START_TIMEOUT,
            env=ENVIRONMENT,
            cwd=self.base,
            umask=0o077,
            **self.account.arguments,
        )

    def start(self) -> None:
        """Afterwards the server accepts connections. Servers left over from an earlier life are stopped first.

        The caller holds the right to this data directory, so whoever still works in it is an orphan.

        Raises:
            AtomError: DBA006 the disk is full, DBA007 the files cannot be used, DBA017 it did not get ready in time,
                DBA020 the files are another major version's.
        """
        self._check_version()
        postmaster.stop(self.data)
        postmaster.remove_leftovers(self.data, self.sockets)
        with self._open_log() as log:
            offset = log.seek(0, os.SEEK_END)
            process = self._process = subprocess.Popen(
                [self.binaries.program("postgres"), "-D", str(self.data), *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=ENVIRONMENT,
                cwd=self.base,
                umask=0o077,
                start_new_session=True,  # Ctrl-C in the terminal reaches `atomctl up`, which stops the server in order
                preexec_fn=dies_with_parent(postmaster.FAST),  # noqa: PLW1509 - one system call
                **self.account.arguments,
            )
        try:
            self._await_ready(process, offset)
        except BaseException:
            self.stop()
            raise

    def _open_log(self) -> BinaryIO:
        """The log, to append to; one that has grown is put aside first, and the one before it dropped."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        handle = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        return os.fdopen(handle, "ab")

    def _arguments(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "log_line_prefix": "%m [%p] ",
            "log_checkpoints": "off",
            "cluster_name": postmaster.cluster_name(self.data),
            **self._summaries(),
            **self.options,
        }
        return [part for name, value in options.items() for part in ("-c", f"{name}={value}")]

    def _summaries(self) -> dict[str, str]:
        """Incremental backups are made from summaries of the log; a server without a whole log can keep none."""
        possible = self.binaries.major >= 17 and self.options.get("wal_level") != "minimal"
        return {"summarize_wal": "on"} if possible else {}

    def _await_ready(self, process: subprocess.Popen[bytes], offset: int) -> None:
        def settled() -> bool:
            return process.poll() is not None or postmaster.is_ready(self.data, process.pid)

        in_time = postmaster.wait_until(settled, START_TIMEOUT)
        if process.poll() is not None:
            raise _failure(str(self.log), self._log_since(offset))
        if not in_time:
            raise AtomError(codes.START_TIMEOUT, f"not ready after {START_TIMEOUT:.0f} s; see {self.log}")

    def _log_since(self, offset: int) -> str:
        with self.log.open("rb") as stream:
            stream.seek(max(offset, stream.seek(0, os.SEEK_END) - _LOG_TAIL))
            return stream.read().decode(errors="replace")

    def _check_version(self) -> None:
        try:
            found = (self.data / "PG_VERSION").read_text().strip()
        except OSError as error:
            raise AtomError(codes.DATA_BROKEN, f"{self.data / 'PG_VERSION'}: {error.strerror}") from error
        if found != str(self.binaries.major):
            raise AtomError(codes.DATA_VERSION, f"{self.data} is of version {found}, the server {self.binaries.major}")

    def stop(self) -> None:
        """Afterwards no process of this server is left; what was committed is on disk. A second call does nothing."""
        process, self._process = self._process, None
        if process is None:
            return
        postmaster.stop(self.data, process)
        process.wait()

    @property
    def running(self) -> bool:
        """Whether the server started here is still alive."""
        return self._process is not None and self._process.poll() is None


def _locale(major: int) -> list[str]:
    """Unicode that does not depend on the machine's locales: PostgreSQL's own since 17, plain bytes before."""
    return ["--locale-provider=builtin", "--locale=C.UTF-8"] if major >= 17 else ["--no-locale"]


def _failure(where: str, output: str) -> AtomError:
    code = codes.DISK_FULL if "No space left on device" in output else codes.DATA_BROKEN
    telling = [
        line for line in output.splitlines() if any(word in line for word in ("FATAL", "PANIC", "error:", "could not"))
    ]
    return AtomError(code, f"{where}: {(telling or output.splitlines() or ['no output'])[-1].strip()}")
