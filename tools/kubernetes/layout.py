"""What is fixed about the node: its addresses, its names, and where its files lie in the folder of one start.

The names and addresses are the reason why a machine runs one node at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from pathlib import Path

HOST_IP, NODE_IP = "10.88.0.1", "10.88.0.2"
API = f"https://{NODE_IP}:6443"
LINK = "knode0"
"""The host's end of the cable to the node."""
CGROUP = "knode"
NODE = "knode"
LINK_NETWORK = IPv4Network("10.88.0.0/24")
POD_NETWORK = IPv4Network("10.244.0.0/24")
SERVICE_NETWORK = IPv4Network("10.96.0.0/24")
SERVICE_IP, DNS_IP = "10.96.0.1", "10.96.0.10"
CONTAINERD_SOCKET = Path("/run/containerd/containerd.sock")

PRIVATE = ("/run", "/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/var/log/containers")
"""Where the node's programs write by themselves; in the node each is a folder of its own."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The folder of one start. `state` is worthless when the node has ended, `logs` tell why it did."""

    folder: Path

    @property
    def kubeconfig(self) -> Path:
        """How to reach the API as its administrator."""
        return self.folder / "kubeconfig"

    @property
    def ready(self) -> Path:
        """Exists while the node is ready."""
        return self.folder / "ready"

    @property
    def control(self) -> Path:
        """The socket on which the node stops and starts its programs."""
        return self.folder / "control"

    @property
    def pid(self) -> Path:
        """Holds the id of the node's first process, as the host sees it."""
        return self.folder / "pid"

    @property
    def logs(self) -> Path:
        """One file per program."""
        return self.folder / "logs"

    def log(self, program: str) -> Path:
        """What `program` wrote."""
        return self.logs / f"{program}.log"

    @property
    def keys(self) -> Path:
        """Certificates, keys and tokens; another start in the same folder keeps them, so its clients can go on."""
        return self.folder / "keys"

    @property
    def config(self) -> Path:
        """What the programs are told."""
        return self.folder / "config"

    @property
    def state(self) -> Path:
        """What they store."""
        return self.folder / "state"
