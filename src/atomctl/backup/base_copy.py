"""pg_basebackup as a stream: the tar it sends, and the manifest that passes by in it."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from atomctl.backup import codes
from atomctl.backup.log_receiver import failure
from atomctl.backup.manifest import NAME
from atomctl.backup.streams import chunks_of
from atomctl.backup.watch import TarWatch
from atomctl.db.accounts import ENVIRONMENT
from atomctl.db.binaries import Binaries
from atomctl.errors import AtomError

_MANIFEST_LIMIT = 1 << 30


class BaseCopy:
    """One run of pg_basebackup.

    Args:
        programs: where it lies.
        dsn: the backup role's connection string, which names the password by file.
        since: the manifest of the set an incremental backup builds on; None for a full one.
    """

    def __init__(self, programs: Binaries, dsn: str, since: Path | None) -> None:
        self._command = [
            programs.program("pg_basebackup"),
            f"--dbname={dsn}",
            "--pgdata=-",
            "--format=tar",
            "--wal-method=none",  # the log is received beside it, up to the marker
            "--checkpoint=fast",
            "--manifest-checksums=SHA256",
            "--label=atomctl",
            "--no-sync",  # nothing is written here
            *([f"--incremental={since}"] if since else []),
        ]
        self._watch = TarWatch(NAME, limit=_MANIFEST_LIMIT)

    @property
    def manifest(self) -> bytes:
        """PostgreSQL's manifest, once the pieces have been read to their end.

        Raises:
            AtomError: BAK009 there was none.
        """
        if self._watch.content is None:
            raise AtomError(codes.TAKING_FAILED, "pg_basebackup sent no manifest")
        return self._watch.content

    def pieces(self) -> Iterator[bytes]:
        """The tar. The program ends with the iterator; one that is left early is stopped.

        Raises:
            AtomError: BAK009 it did not send all, BAK010 it may not, BAK017 no room, BAK019 there are tablespaces.
        """
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=ENVIRONMENT
            )
            assert process.stdout is not None
            try:
                for piece in chunks_of(process.stdout.read):
                    self._watch.feed(piece)
                    yield piece
                status = process.wait()
            finally:
                process.stdout.close()
                if process.poll() is None:
                    process.kill()
                    process.wait()
            if status != 0:
                errors.seek(0)
                raise failure("pg_basebackup", errors.read().decode(errors="replace"))
