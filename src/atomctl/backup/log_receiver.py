"""Receiving the write-ahead log beside a base backup, up to the marker."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from atomctl.backup import codes
from atomctl.backup.lsn import is_log_file, lsn_text
from atomctl.db.accounts import ENVIRONMENT
from atomctl.db.binaries import Binaries
from atomctl.errors import AtomError

# The program ends when the shell's standard input does: also when the process that took the backup was killed.
_LEASH = '"$@" & child=$!; cat >/dev/null; kill -INT $child 2>/dev/null; wait $child'
_START_SECONDS = 30.0
_END_SECONDS = 120.0
_POLL = 0.02


class LogReceiver:
    """pg_receivewal into `folder`, from the moment `start` returns until `finish`.

    The caller keeps a session that makes the server hold the log back, so a receiver that falls behind loses nothing.
    """

    def __init__(self, programs: Binaries, dsn: str, folder: Path) -> None:
        self._command = [programs.program("pg_receivewal"), f"--dbname={dsn}", f"--directory={folder}", "--no-loop"]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = folder.with_suffix(".errors")

    def start(self) -> None:
        """Afterwards the log is being received from a place before any backup that begins now.

        Raises:
            AtomError: BAK009 the server does not send it, BAK010 it may not be sent to this role.
        """
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _LEASH, "sh", *self._command],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=ENVIRONMENT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not any(self._folder.iterdir()):
            message = self._errors.read_text(errors="replace").strip()
            if message or time.monotonic() > deadline:
                self.stop()
                raise failure("pg_receivewal", message or f"nothing within {_START_SECONDS:.0f} s")
            time.sleep(_POLL)

    def finish(self, end: int) -> None:
        """Afterwards the folder holds the log up to `end`, in whole segments.

        Raises:
            AtomError: BAK009 the server does not send the rest, BAK017 the disk is full.
        """
        self.stop()
        try:
            done = subprocess.run(
                [*self._command, f"--endpos={lsn_text(end)}"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=_END_SECONDS,
                env=ENVIRONMENT,
            )
        except subprocess.TimeoutExpired as error:
            raise failure("pg_receivewal", f"the marker did not come within {_END_SECONDS:.0f} s") from error
        if done.returncode != 0:
            raise failure("pg_receivewal", done.stderr)
        for file in self._folder.glob("*.partial"):
            file.rename(file.with_suffix(""))  # PostgreSQL reads a segment up to where its records end

    def stop(self) -> None:
        """Afterwards the program has ended; a second call does nothing."""
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            process.stdin.close()
            process.wait()

    @property
    def files(self) -> Mapping[str, Path]:
        """What was received, by name: segments and timeline histories."""
        return {file.name: file for file in sorted(self._folder.iterdir()) if is_log_file(file.name)}


def failure(program: str, output: str) -> AtomError:
    """What a program of PostgreSQL's that ended badly means."""
    lines = [line for line in output.splitlines() if "error" in line or "could not" in line or "FATAL" in line]
    why = f"{program}: {(lines or output.strip().splitlines() or ['no output'])[-1].strip()}"
    if "No space left" in output:
        return AtomError(codes.NO_ROOM, why)
    if "permission denied" in output or "no pg_hba.conf entry" in output or "must be superuser or" in output:
        return AtomError(codes.NOT_PERMITTED, why)
    if "single tablespace" in output:
        return AtomError(codes.TABLESPACES, why)
    return AtomError(codes.TAKING_FAILED, why)
