"""What Pod rules read: one walk over a Pod makes a flat record with the API server's defaults applied.

Values stay the plain objects of the document; paths lead from the document's root, so that a finding can be placed.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from atomctl.rules.extract import KubernetesObject
from atomctl.rules.model import Path
from atomctl.rules.shape import EMPTY, mapping, mappings, text


class ContainerRole(enum.StrEnum):
    """When a container runs. The key of its list in the Pod spec, except for sidecars."""

    INIT = "init container"
    SIDECAR = "sidecar container"
    """An init container with `restartPolicy: Always`: it runs as long as the Pod."""
    MAIN = "container"
    EPHEMERAL = "ephemeral container"


_LISTS = (
    ("initContainers", ContainerRole.INIT),
    ("containers", ContainerRole.MAIN),
    ("ephemeralContainers", ContainerRole.EPHEMERAL),
)


class ContainerFacts(NamedTuple):
    """One container of a Pod; `security` is its own security context, not merged with the Pod's."""

    name: str
    role: ContainerRole
    path: Path
    value: Mapping[str, Any]
    security: Mapping[str, Any]
    pod_label: str

    @property
    def label(self) -> str:
        """`Deployment/web container app`."""
        return f"{self.pod_label} {self.role.value} {self.name}"

    def at(self, *keys: str | int) -> Path:
        """The document path of a field of this container."""
        return (*self.path, *keys)


class PodFacts(NamedTuple):
    """One Pod or Pod template; containers in the order init, main, ephemeral."""

    label: str
    kind: str
    meta_path: Path
    spec_path: Path
    meta: Mapping[str, Any]
    spec: Mapping[str, Any]
    security: Mapping[str, Any]
    containers: tuple[ContainerFacts, ...]

    @property
    def windows(self) -> bool:
        """Whether the Pod says it runs on Windows."""
        return mapping(self.spec.get("os")).get("name") == "windows"

    @property
    def user_namespace(self) -> bool:
        """Whether the Pod gets a user namespace of its own (`hostUsers: false`)."""
        return self.spec.get("hostUsers") is False

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The annotations the Pod will carry."""
        return mapping(self.meta.get("annotations"))

    def at(self, *keys: str | int) -> Path:
        """The document path of a field of the Pod spec."""
        return (*self.spec_path, *keys)

    def volumes(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """The volumes with their index."""
        return mappings(self.spec.get("volumes"))


def read_pod(template: Mapping[str, Any], path: Path, item: KubernetesObject) -> PodFacts:
    """The facts of the Pod whose metadata and spec stand in `template`, at `path` of the document."""
    spec = mapping(template.get("spec"))
    spec_path = (*path, "spec")
    label = item.label
    return PodFacts(
        label=label,
        kind=item.kind,
        meta_path=(*path, "metadata"),
        spec_path=spec_path,
        meta=mapping(template.get("metadata")),
        spec=spec,
        security=mapping(spec.get("securityContext")),
        containers=tuple(_containers(spec, spec_path, label)),
    )


def _containers(spec: Mapping[str, Any], path: Path, label: str) -> Iterator[ContainerFacts]:
    for key, role in _LISTS:
        for index, value in mappings(spec.get(key)):
            security = value.get("securityContext")
            yield ContainerFacts(
                name=text(value.get("name")) or f"#{index}",
                role=_role(role, value),
                path=(*path, key, index),
                value=value,
                security=security if isinstance(security, dict) else EMPTY,
                pod_label=label,
            )


def _role(role: ContainerRole, value: Mapping[str, Any]) -> ContainerRole:
    if role is ContainerRole.INIT and value.get("restartPolicy") == "Always":
        return ContainerRole.SIDECAR
    return role
