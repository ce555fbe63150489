"""What can be in the way of a node: another one, what is left of one, somebody else's network, or a lack of rights."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

from tools import debian
from tools.build import KUBERNETES
from tools.kubernetes import cgroups
from tools.kubernetes.images import archives
from tools.kubernetes.layout import LINK, LINK_NETWORK, POD_NETWORK, SERVICE_NETWORK

LOCK = Path("/run/lock/atomctl-kubernetes-node")
DEBIAN_TOOLS = ("containerd", "runc", "cni", "iptables", "nftables")
NAMESPACES = ("--mount", "--net", "--pid", "--uts", "--ipc", "--cgroup", "--fork", "--kill-child", "--mount-proc")
_FADING = 10.0
"""Seconds in which what a killed node leaves goes away by itself."""
_POLL = 0.1


class ObstacleError(Exception):
    """A node cannot start here or now; the message says what is in the way and what to do."""


def lacking() -> str | None:
    """What this machine lacks for a node, or None. Nothing is changed to find out."""
    if os.geteuid() != 0:
        return "root, which makes the namespaces of a Kubernetes node"
    if not KUBERNETES.binary.exists():
        return f"Kubernetes {KUBERNETES.version}"
    if missing := [name for name in DEBIAN_TOOLS if debian.tool(name).root() is None]:
        return f"for a Kubernetes node: {', '.join(missing)}"
    if not all(archive.exists() for archive in archives()):
        return "the images of a Kubernetes node"
    if shutil.which("unshare") is None or not _may_unshare():
        return "the right to make mount and network namespaces for a Kubernetes node"
    return None


def _may_unshare() -> bool:
    command = ["unshare", *NAMESPACES, "mount", "--make-rprivate", "/"]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode == 0


@contextmanager
def only_one(purpose: str, patience: float, waits: Callable[[str], None]) -> Iterator[None]:
    """Holds the machine's one place for a node; it is given back when the process ends, however that ends.

    Args:
        purpose: shown to whoever wants the place meanwhile.
        patience: seconds to wait for it.
        waits: called once, with who holds it, if it must be waited for.

    Raises:
        ObstacleError: it was not free in time; the message says who holds it.
    """
    descriptor = os.open(LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        deadline, said = time.monotonic() + patience, False
        while not _locked(descriptor):
            holder = os.pread(descriptor, 4096, 0).decode(errors="replace").strip()
            if time.monotonic() >= deadline:
                raise ObstacleError(f"this machine's one Kubernetes node is in use by {holder}")
            if not said:
                waits(holder)
                said = True
            time.sleep(_POLL)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()}: {purpose}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def clear_remains() -> None:
    """Afterwards nothing of a node that was killed is left.

    Raises:
        ObstacleError: something is, and does not go away by itself; it is not ours to end.
    """
    deadline = time.monotonic() + _FADING
    while not cgroups.remove() or _link_exists():
        if time.monotonic() > deadline:
            if left := cgroups.processes():
                pids = " ".join(map(str, left))
                raise ObstacleError(f"processes of a node that nobody holds are left; look at them: ps -f -p '{pids}'")
            if _link_exists():
                raise ObstacleError(f"a network interface {LINK} is left; remove it with: ip link delete {LINK}")
            raise ObstacleError(f"control groups are left: {', '.join(map(str, cgroups.groups()))}")
        time.sleep(_POLL)


def _link_exists() -> bool:
    return LINK in {name for _, name in socket.if_nameindex()}


def demand_free_networks() -> None:
    """Raises `ObstacleError` if this machine already routes to an address that the node uses."""
    command = ["ip", "-json", "-4", "route", "show"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    for route in json.loads(done.stdout or "[]"):
        if route["dst"] == "default":
            continue
        taken = IPv4Network(route["dst"])
        for network in (LINK_NETWORK, POD_NETWORK, SERVICE_NETWORK):
            if taken.overlaps(network):
                raise ObstacleError(f"{network} is the node's, and {route.get('dev', 'this machine')} has {taken}")
