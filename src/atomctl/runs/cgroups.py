"""Limits on a whole process tree, where this worker may make control groups (version 1 or 2).

Format of `/proc/self/mountinfo` and `/proc/self/cgroup`: proc(5), cgroups(7).
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MOUNTS: Final = Path("/proc/self/mountinfo")
_MEMBERSHIP: Final = Path("/proc/self/cgroup")
_REMOVE_SECONDS = 2.0
_SWEEP_SECONDS = 60.0
"""An attempt joins its groups within a moment of their making; one that is empty after that is nobody's."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """A group under which this worker makes groups for attempts. `controllers` are those it can set limits of there."""

    folder: Path
    version: int
    controllers: frozenset[str]


@dataclass(frozen=True, slots=True)
class AttemptGroups:
    """The groups of one attempt and what they bind together: `pids`, `memory`, or nothing of it."""

    folders: tuple[Path, ...] = ()
    controllers: frozenset[str] = frozenset()

    def memory_kills(self) -> int:
        """How many processes the kernel has killed in these groups because of the memory limit."""
        return sum(_counter(folder / name, "oom_kill") for folder in self.folders for name in _OOM_FILES)

    def remove(self) -> None:
        """No process is in the groups any more and the groups are gone; 2 s at most.

        A group whose processes cannot be killed stays behind, empty of limits for anybody else.
        """
        for folder in self.folders:
            _remove(folder)


_OOM_FILES = ("memory.events", "memory.oom_control")


def find(mounts: str | None = None, membership: str | None = None) -> tuple[Hierarchy, ...]:
    """Where limits on processes and memory can be set by this process; empty if nowhere."""
    mounts = _MOUNTS.read_text() if mounts is None else mounts
    membership = _MEMBERSHIP.read_text() if membership is None else membership
    paths = _paths(membership)
    found = [_hierarchy(line, paths) for line in mounts.splitlines()]
    return tuple(item for item in found if item and item.controllers and os.access(item.folder, os.W_OK))


def create(hierarchies: tuple[Hierarchy, ...], name: str, *, processes: int, memory_bytes: int) -> AttemptGroups:
    """Makes the groups `atom-<name>` with these limits; what cannot be limited is missing from `controllers`."""
    folders, controllers = [], set()
    wanted = {"pids": processes, "memory": memory_bytes}
    for hierarchy in hierarchies:
        folder = hierarchy.folder / f"atom-{name}"
        try:
            folder.mkdir()
        except OSError:
            continue  # the right to make groups went away; the limits of each process still hold
        folders.append(folder)
        for controller in hierarchy.controllers & wanted.keys():
            with contextlib.suppress(OSError):
                (folder / _limit_file(controller, hierarchy.version)).write_text(str(wanted[controller]))
                controllers.add(controller)
    return AttemptGroups(tuple(folders), frozenset(controllers))


def sweep(hierarchies: tuple[Hierarchy, ...]) -> int:
    """Removes the groups that killed workers left: empty ones, older than a minute; returns how many."""
    removed = 0
    for folder in (folder for hierarchy in hierarchies for folder in hierarchy.folder.glob("atom-*")):
        with contextlib.suppress(OSError):  # a group with a process in it cannot be removed
            if folder.stat().st_mtime < time.time() - _SWEEP_SECONDS:
                folder.rmdir()
                removed += 1
    return removed


def _limit_file(controller: str, version: int) -> str:
    return "memory.limit_in_bytes" if (controller, version) == ("memory", 1) else f"{controller}.max"


def _paths(membership: str) -> dict[str, str]:
    """Controller -> this process's group; the empty name stands for version 2."""
    paths = {}
    for line in membership.splitlines():
        _, names, path = line.split(":", 2)
        paths.update(dict.fromkeys(names.split(","), path))
    return paths


def _hierarchy(line: str, paths: dict[str, str]) -> Hierarchy | None:
    left, _, right = line.partition(" - ")
    root, point = left.split()[3:5]
    kind, _, options = right.split(" ", 2)
    if kind == "cgroup2":
        folder = _inside(Path(point), root, paths.get("", "/"))
        return Hierarchy(folder, 2, _delegated(folder))
    names = {"pids", "memory"} & set(options.split(",")) if kind == "cgroup" else set()
    if not names:
        return None
    return Hierarchy(_inside(Path(point), root, paths.get(min(names), "/")), 1, frozenset(names))


def _inside(point: Path, root: str, path: str) -> Path:
    """Where the group `path` is seen under a mount of the hierarchy's subtree `root`."""
    relative = path.removeprefix(root) if root != "/" else path
    return point / relative.lstrip("/")


def _delegated(folder: Path) -> frozenset[str]:
    """The controllers that children of a version 2 group get; a group with processes of its own can hand on none."""
    try:
        return frozenset((folder / "cgroup.subtree_control").read_text().split()) & {"pids", "memory"}
    except OSError:
        return frozenset()


def _counter(file: Path, name: str) -> int:
    try:
        lines = [line.split() for line in file.read_text().splitlines()]
    except OSError:
        return 0
    return sum(int(words[1]) for words in lines if len(words) == 2 and words[0] == name)


def _remove(folder: Path) -> None:
    deadline = time.monotonic() + _REMOVE_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            for pid in (folder / "cgroup.procs").read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        try:
            folder.rmdir()
        except FileNotFoundError:
            return
        except OSError:
            time.sleep(0.005)
        else:
            return
