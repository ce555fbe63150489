"""Where Prometheus finds the processes of a home: one file each in `targets/`, as its `file_sd_configs` reads them.

Format: Prometheus' configuration page, `file_sd_config`: a JSON list of `{"targets": [...], "labels": {...}}`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from atomctl.files import replace_file

FOLDER = "targets"


@contextmanager
def announced(home: Path, process: str, address: str) -> Iterator[Path]:
    """While it is open, `targets/<process>-<pid>.json` in the home names `address` (`host:port`).

    Files of the same kind whose process is gone are removed first: a process that was killed left its own behind.

    Raises:
        OSError: the folder cannot be written.
    """
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _forget_gone(folder, process)
    file = folder / f"{process}-{os.getpid()}.json"
    replace_file(file, json.dumps([{"targets": [address], "labels": {"process": process}}]).encode())
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def _forget_gone(folder: Path, process: str) -> None:
    for file in folder.glob(f"{process}-*.json"):
        number = file.stem.removeprefix(f"{process}-")
        if number.isdecimal() and not _alive(int(number)):
            file.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
