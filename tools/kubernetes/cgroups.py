"""The control group of the node: entered by its first process, emptied and removed after its end.

Version 1 is what it was tried on. Version 2 follows Kubernetes' documentation of it.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tools.kubernetes.layout import CGROUP

ROOT = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids")
"""Those of version 1 that containers use; `systemd` is a hierarchy without one."""


def unified() -> bool:
    """Whether the machine has control groups of version 2 only."""
    return (ROOT / "cgroup.controllers").exists()


def groups() -> list[Path]:
    """The node's group in every hierarchy, there or not."""
    return [ROOT / CGROUP] if unified() else [ROOT / each / CGROUP for each in (*_CONTROLLERS, "systemd")]


def enter() -> None:
    """Afterwards the calling process is in the node's group, which was made."""
    for group in groups():
        group.mkdir(exist_ok=True)
        if group.parent.name == "cpuset":  # a new set is empty, and nobody can enter it
            for name in ("cpuset.cpus", "cpuset.mems"):
                (group / name).write_text((group.parent / name).read_text())
        (group / "cgroup.procs").write_text(str(os.getpid()))


def processes() -> list[int]:
    """The processes in the node's group, as the host sees them."""
    found: set[int] = set()
    for group in groups():
        for file in group.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):  # the group has just gone
                found.update(map(int, file.read_text().split()))
    return sorted(found)


def remove() -> bool:
    """Whether the group is gone afterwards; it is not while a process is in it."""
    for group in groups():
        for folder, _, _ in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()
    return not any(group.exists() for group in groups())
