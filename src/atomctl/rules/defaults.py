"""The API server's defaults that change a verdict, as functions of what is written.

Source: Kubernetes `pkg/apis/core/v1/defaults.go`. Nothing is copied: rules ask for the defaulted value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from atomctl.rules.facts import ContainerFacts, PodFacts
from atomctl.rules.shape import mappings

_NOT_A_SOURCE = frozenset({"name"})
EMPTY_DIR = "emptyDir"


def volume_source(volume: Mapping[str, Any]) -> str:
    """The kind of a volume's source: `hostPath`, `secret`, ...; a volume that names none is an emptyDir."""
    return next((key for key, value in volume.items() if key not in _NOT_A_SOURCE and value is not None), EMPTY_DIR)


def host_ports(pod: PodFacts, container: ContainerFacts) -> Iterator[tuple[int, str, int]]:
    """Index, key to point at, and host port of each port a container opens on the node.

    Under `hostNetwork` a container port without a host port gets its own number as host port.
    """
    on_host = pod.spec.get("hostNetwork") is True
    for index, port in mappings(container.value.get("ports")):
        host = port.get("hostPort")
        if isinstance(host, int) and host != 0:
            yield index, "hostPort", host
        elif on_host and isinstance(port.get("containerPort"), int):
            yield index, "containerPort", port["containerPort"]
