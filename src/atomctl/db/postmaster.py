"""Server processes of a data directory: found by what they are, not by what a file claims; stopped to the last one."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from atomctl.canonical import sha256

PID_FILE = "postmaster.pid"
FAST, IMMEDIATE = signal.SIGINT, signal.SIGQUIT
"""PostgreSQL's shutdown modes: FAST rolls back and writes a checkpoint, IMMEDIATE leaves recovery to the next start."""

_PATIENCE = ((FAST, 20.0), (IMMEDIATE, 5.0))
_KILL_PATIENCE = 5.0
_POLL = 0.01
_PROC = Path("/proc")


def cluster_name(data: Path) -> str:
    """The name each process of the server on `data` bears: the postmaster in its arguments, children in their title."""
    return f"atomctl-{sha256(os.fsencode(os.path.realpath(data))).hex()[:16]}"


def processes(data: Path) -> list[int]:
    """The ids of all PostgreSQL processes that serve `data`, also of those whose postmaster is gone.

    Told by user, program and name: `/proc/PID/cwd`, which would be plainer, is closed to a root without CAP_SYS_PTRACE.
    """
    try:
        owner = data.stat().st_uid
    except FileNotFoundError:
        return []
    name = cluster_name(data).encode()
    return [pid for pid in _pids() if _is_server(pid, owner) and name in _command_line(pid)]


def _pids() -> list[int]:
    return [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]


def _is_server(pid: int, owner: int) -> bool:
    """Whether the process runs PostgreSQL as `owner`, and is not one that died and was not collected."""
    with contextlib.suppress(OSError):
        folder = _PROC / str(pid)
        if folder.stat().st_uid == owner and (folder / "comm").read_text() == "postgres\n":
            return (folder / "stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    return False


def _command_line(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return (_PROC / str(pid) / "cmdline").read_bytes()
    return b""


def stop(data: Path, child: subprocess.Popen[bytes] | None = None) -> None:
    """Afterwards no PostgreSQL process serves `data`: told to stop fast, then to stop at once, then killed.

    Processes without a postmaster can commit nothing any more and are killed.

    Args:
        data: the data directory.
        child: the postmaster, if it is this process's own child; its exit status is collected.
    """
    for number, patience in _PATIENCE:
        leader = _leader(data, child)
        if leader is None:
            break
        _send([leader], number)
        if wait_until(lambda: not _left(data, child), patience):
            return
    _send(_left(data, child), signal.SIGKILL)
    wait_until(lambda: not _left(data, child), _KILL_PATIENCE)


def _leader(data: Path, child: subprocess.Popen[bytes] | None) -> int | None:
    if child is not None:
        return child.pid if child.poll() is None else None
    recorded = postmaster_pid(data)
    return recorded if recorded in processes(data) else None


def _left(data: Path, child: subprocess.Popen[bytes] | None) -> list[int]:
    own = [child.pid] if child is not None and child.poll() is None else []
    return own + [pid for pid in processes(data) if pid not in own]


def _send(targets: list[int], number: signal.Signals) -> None:
    for pid in targets:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


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
        return (data / PID_FILE).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def remove_leftovers(data: Path, sockets: Path) -> None:
    """Removes sockets and their locks, and a pid file whose number is not a living server's.

    PostgreSQL takes such files for alive as long as any process of its user has their number, or one that died and was
    not collected. Nothing is removed while a server is alive; and a pid file whose number nobody has is left to
    PostgreSQL, which first makes sure that the shared memory named there is unused.
    """
    recorded, owner = postmaster_pid(data), data.stat().st_uid
    if processes(data) or (recorded is not None and _is_server(recorded, owner)):
        return
    if recorded in _pids():
        (data / PID_FILE).unlink()
    for file in sockets.glob(".s.PGSQL.*"):
        file.unlink()
