"""From sets to a data directory that PostgreSQL can recover: read, combined, given to the server's account."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from atomctl.backup import codes
from atomctl.backup.contents import Folder, Nowhere
from atomctl.backup.model import Stream
from atomctl.backup.reading import Reader
from atomctl.backup.shelf import Shelved
from atomctl.db.accounts import ENVIRONMENT, Account
from atomctl.db.binaries import Binaries
from atomctl.errors import AtomError

SIGNAL = "recovery.signal"
"""The file that makes PostgreSQL recover to a target instead of to the end of what it finds."""

_MARGIN = 64 << 20
_COMBINE_SECONDS = 6 * 3600


def unpack(reader: Reader, chain: Sequence[Shelved], data: Path, programs: Binaries, account: Account) -> None:
    """Afterwards `data` is a data directory of `account`, ready to recover to the marker of the chain's last set.

    Args:
        reader: reads the sets.
        chain: from the full set to the one to restore.
        data: does not exist yet; its parent does.
        programs: of the server's version.
        account: who will run the server.

    Raises:
        AtomError: as `Reader.read`; BAK014 the sets do not combine, BAK017 no room, BAK022 the folder cannot be used.
    """
    with writing(data):
        _require_room(chain, data.parent)
        work = data.with_name(f"{data.name}.parts")
        work.mkdir(mode=0o700)
        try:
            log = work / "log"
            log.mkdir(mode=0o700)
            folders = [work / str(number) for number in range(len(chain))]
            for item, folder in zip(chain, folders, strict=True):
                folder.mkdir(mode=0o700)
                # Only the last set's log is needed: a base backup holds all that happened before it began.
                reader.read(item, Folder(folder), Folder(log) if item is chain[-1] else Nowhere())
            if len(folders) == 1:
                folders[0].rename(data)
            else:
                _combine(programs, folders, data)
            for file in log.iterdir():
                file.rename(data / "pg_wal" / file.name)
            (data / SIGNAL).touch(mode=0o600)
            _give(data, account)
        finally:
            shutil.rmtree(work, ignore_errors=True)


def _require_room(chain: Sequence[Shelved], folder: Path) -> None:
    bases = [item.statement.streams[Stream.BASE].plain for item in chain]
    needed = sum(bases) + chain[-1].statement.streams[Stream.WAL].plain + _MARGIN
    needed += bases[0] if len(chain) > 1 else 0  # what they are combined to, while they still lie there
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise AtomError(codes.NO_ROOM, f"{needed >> 20} MiB are needed at {folder}, {free >> 20} MiB are free")


def _combine(programs: Binaries, folders: Sequence[Path], data: Path) -> None:
    command = [
        programs.program("pg_combinebackup"),
        *map(str, folders),
        f"--output={data}",
        "--no-manifest",
        "--no-sync",
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=_COMBINE_SECONDS, env=ENVIRONMENT
    )
    if done.returncode != 0:
        code = codes.NO_ROOM if "No space left" in done.stderr else codes.RESTORE_FAILED
        raise AtomError(code, f"pg_combinebackup: {(done.stderr.strip().splitlines() or ['no output'])[-1]}")


def _give(data: Path, account: Account) -> None:
    for folder, folders, files in os.walk(data):
        for name in (*folders, *files):
            account.own(Path(folder, name))
    account.own(data)
    data.chmod(0o700)


@contextmanager
def writing(target: Path) -> Iterator[None]:
    """Says a full disk or a closed folder in our codes.

    Raises:
        AtomError: BAK017 no room, BAK022 the folder cannot be used.
    """
    try:
        yield
    except OSError as error:
        code = codes.NO_ROOM if error.errno in (errno.ENOSPC, errno.EDQUOT) else codes.FOLDER_UNUSABLE
        raise AtomError(code, f"{error.filename or target}: {error.strerror or error}") from error
