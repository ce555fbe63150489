"""PostgreSQL's own programs of a wanted version: in the wheel, in Debian's folders, on the PATH."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from atomctl.backup import codes
from atomctl.db.binaries import TREES, Binaries, wheel_binaries
from atomctl.errors import AtomError

_DEBIAN = Path("/usr/lib/postgresql")
_VERSION = re.compile(r"\(PostgreSQL\) ([0-9]+)")
_PATIENCE = 10


def client_programs(major: int) -> Binaries:
    """Programs that can copy a server of version `major`: of that version if there are, else of the next newer one.

    Raises:
        AtomError: BAK011 there are none.
    """
    fitting = sorted((found for found in _all("pg_basebackup") if found.major >= major), key=lambda found: found.major)
    if not fitting:
        raise AtomError(codes.PROGRAMS_MISSING, f"no pg_basebackup of version {major} or newer")
    return fitting[0]


def server_programs(major: int) -> Binaries:
    """The server of exactly version `major`.

    Raises:
        AtomError: BAK011 there is none.
    """
    for found in _all("postgres"):
        if found.major == major:
            return found
    raise AtomError(codes.PROGRAMS_MISSING, f"no PostgreSQL server of version {major}")


def _all(program: str) -> Iterator[Binaries]:
    """Every folder that holds `program`, the wheel's first, because its versions are the tested ones."""
    for major in TREES:
        try:
            yield wheel_binaries(major)
        except AtomError:
            break  # the wheel is an extra that need not be installed
    folders = [*_DEBIAN.glob("*/bin"), *map(Path, os.environ.get("PATH", "").split(os.pathsep))]
    for folder in folders:
        if folder.is_absolute() and (folder / program).is_file():
            major_found = _major(folder / program)
            if major_found is not None:
                yield Binaries(folder, major_found)


def _major(program: Path) -> int | None:
    try:
        done = subprocess.run(
            [str(program), "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(done.stdout)
    return int(found[1]) if found else None
