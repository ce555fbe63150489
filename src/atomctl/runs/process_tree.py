"""Everything a process started, and the end of it. Light: every supervisor loads this file.

A subreaper stays the ancestor of whatever its descendants start, detached or not, so walking down from it by parent
ids finds a daemon that forked twice and called setsid. Nothing here can miss a process but one that was born after the
walk; stopping what was found before killing it takes that race away wherever the number of processes is limited.
"""

# pathlib would cost every supervisor 5 ms.
# ruff: noqa: PTH116, PTH123, PTH208

from __future__ import annotations

import os
import time

_SIGKILL = 9
_SIGSTOP = 19
_ROUNDS = 50


def parents() -> dict[int, int]:
    """Every process this one can see and its parent's id, from the fourth field of `/proc/<pid>/stat` (proc(5))."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as stream:
                    # The name in parentheses may hold spaces and parentheses of its own: count from the last one.
                    found[int(entry)] = int(stream.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError):
                continue  # it ended while we looked
    return found


def threads_of(user: int) -> int:
    """How many threads run as `user` now, which is what RLIMIT_NPROC counts; the 20th field of `/proc/<pid>/stat`."""
    count = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.stat(f"/proc/{entry}").st_uid == user:
                    with open(f"/proc/{entry}/stat", "rb") as stream:
                        count += int(stream.read().rpartition(b")")[2].split()[17])
            except (OSError, IndexError):
                continue  # it ended while we looked
    return count


def descendants(root: int, tree: dict[int, int] | None = None) -> list[int]:
    """The processes below `root`, parents before children; `root` itself is not among them."""
    children: dict[int, list[int]] = {}
    for pid, parent in (parents() if tree is None else tree).items():
        children.setdefault(parent, []).append(pid)
    found, front = [], [root]
    while front:
        front = [child for pid in front for child in sorted(children.get(pid, ()))]
        found.extend(front)
    return found


def signal_all(pids: list[int], number: int) -> None:
    """Sends a signal to each; one that is gone already is no error."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def reap() -> dict[int, int]:
    """Collects every child that has ended: its id and its wait status."""
    ended: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended[pid] = status


def kill_descendants(root: int, *, seconds: float = 10.0) -> tuple[int, dict[int, int]]:
    """Nothing below `root` (this process, a subreaper) is alive when this returns.

    Returns:
        How many processes were killed, and the wait status of every child that was collected.

    Raises:
        TimeoutError: something outlived SIGKILL for `seconds`, which takes a process stuck inside the kernel.
    """
    deadline = time.monotonic() + seconds
    statuses = reap()
    if _childless():
        return 0, statuses
    killed: set[int] = set()
    while below := _stopped(root):
        signal_all(below, _SIGKILL)
        killed.update(below)
        statuses.update(reap())
        if time.monotonic() > deadline:
            raise TimeoutError(f"{len(below)} processes outlive SIGKILL")
        time.sleep(0.001)
        statuses.update(reap())
    return len(killed), statuses


def _childless() -> bool:
    """Whether this process has no child at all; a subreaper without one has no descendant either."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _stopped(root: int) -> list[int]:
    """The processes below `root`, all stopped: a process that is stopped starts no other."""
    seen: set[int] = set()
    below: list[int] = []
    for _ in range(_ROUNDS):
        below = descendants(root)
        new = [pid for pid in below if pid not in seen]
        if not new:
            break
        signal_all(new, _SIGSTOP)
        seen.update(new)
    return below
