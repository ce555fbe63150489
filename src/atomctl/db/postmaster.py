"""Server processes of a data directory: found by what they are, not by what a file claims; stopped to the last one."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

PID_FILE = "postmaster.pid"
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
"""PostgreSQL's shutdown modes: FAST rolls back and writes a checkpoint, IMMEDIATE leaves recovery to the next start."""

_PATIENCE = ((FAST, 20.0), (IMMEDIATE, 5.0))
_KILL_PATIENCE = 5.0
_POLL = 0.01


def processes(data: Path) -> list[int]:
    """The ids of all PostgreSQL processes that work in `data`, the postmaster's children included.

    Every one of them has the data directory as its working directory, also when its parent is gone.
    """
    place = os.path.realpath(data)
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _works_in(entry, place)]


def _works_in(process: Path, place: str) -> bool:
    # A process that ends meanwhile, or belongs to somebody else, is none of ours.
    with contextlib.suppress(OSError):
        cwd, program = (str((process / link).readlink()).removesuffix(" (deleted)") for link in ("cwd", "exe"))
        return cwd == place and Path(program).name == "postgres"
    return False


def stop(data: Path, reap: Callable[[], object] | None = None) -> None:
    """Afterwards no PostgreSQL process works in `data`: told to stop fast, then to stop at once, then killed.

    Processes without a postmaster can commit nothing any more and are killed.

    Args:
        data: the data directory.
        reap: collects the exit status of an own child; called while waiting.
    """
    for number, patience in _PATIENCE:
        postmaster = postmaster_pid(data)
        if postmaster not in processes(data):
            break
        _send([postmaster], number)
        if wait_until(lambda: not _left(data, reap), patience):
            return
    _send(processes(data), signal.SIGKILL)
    wait_until(lambda: not _left(data, reap), _KILL_PATIENCE)


def _send(targets: list[int], number: signal.Signals) -> None:
    for pid in targets:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _left(data: Path, reap: Callable[[], object] | None) -> list[int]:
    if reap is not None:
        reap()
    return processes(data)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether `condition` became true within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(_POLL)
    return True


def postmaster_pid(data: Path) -> int | None:
    """The process id in `postmaster.pid`; None if there is no such file or it holds none."""
    lines = _pid_file_lines(data)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def is_ready(data: Path, pid: int) -> bool:
    """Whether the postmaster `pid` says in its pid file that it accepts connections (line 8, as `pg_ctl` reads it)."""
    lines = _pid_file_lines(data)
    return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _pid_file_lines(data: Path) -> list[str]:
    try:
        return (data / PID_FILE).read_text().splitlines()
    except FileNotFoundError:
        return []


def remove_leftovers(data: Path, sockets: Path) -> None:
    """Removes pid file, sockets and their locks when no server works in `data`.

    PostgreSQL takes such files for alive as long as a process has their number, be it another program's or one that
    died and was not collected.
    """
    if not processes(data):
        (data / PID_FILE).unlink(missing_ok=True)
        for file in sockets.glob(".s.PGSQL.*"):
            file.unlink()
