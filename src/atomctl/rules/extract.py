"""Finds the Pods a Kubernetes object would create, and where in the document each one stands.

Kinds and their template paths: the Kubernetes API reference, `core/v1`, `apps/v1`, `batch/v1`; the same kinds the Pod
Security admission plugin reads. Custom kinds are those whose published schema embeds a core/v1 PodTemplateSpec.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from atomctl.rules.model import Path
from atomctl.rules.shape import mapping, text

_MAX_DEPTH = 64

_TEMPLATE: Path = ("spec", "template")
TEMPLATE_PATHS: Mapping[str, Path] = {
    "Pod": (),
    "PodTemplate": ("template",),
    "Deployment": _TEMPLATE,
    "StatefulSet": _TEMPLATE,
    "DaemonSet": _TEMPLATE,
    "ReplicaSet": _TEMPLATE,
    "ReplicationController": _TEMPLATE,
    "Job": _TEMPLATE,
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
CUSTOM_TEMPLATE_PATHS: Mapping[tuple[str, str], Path] = {
    ("argoproj.io", "Rollout"): _TEMPLATE,
    ("serving.knative.dev", "Service"): _TEMPLATE,
    ("serving.knative.dev", "Configuration"): _TEMPLATE,
    ("apps.kruise.io", "CloneSet"): _TEMPLATE,
    ("apps.kruise.io", "StatefulSet"): _TEMPLATE,
    ("apps.kruise.io", "DaemonSet"): _TEMPLATE,
    ("keda.sh", "ScaledJob"): ("spec", "jobTargetRef", "template"),
}


class KubernetesObject(NamedTuple):
    """One object of a document; `path` leads to it from the document's root (not empty inside a List)."""

    kind: str
    api_version: str
    name: str
    path: Path
    value: Mapping[str, Any]

    @property
    def group(self) -> str:
        """The API group; empty for the core group."""
        group, slash, _ = self.api_version.rpartition("/")
        return group if slash else ""

    @property
    def label(self) -> str:
        """`Kind/name`, as findings name it."""
        return f"{self.kind}/{self.name}" if self.name else self.kind


def objects_in(root: object, path: Path = ()) -> Iterator[KubernetesObject]:
    """The Kubernetes objects of one document; a List (or `PodList`, ...) stands for its items, at any depth."""
    if not isinstance(root, dict) or len(path) > _MAX_DEPTH:
        return
    kind = text(root.get("kind"))
    items = root.get("items")
    if kind.endswith("List") and isinstance(items, list):
        item_kind = kind.removesuffix("List")
        for index, item in enumerate(items):
            yield from objects_in(_with_kind(item, item_kind, root), (*path, "items", index))
        return
    if kind:
        name = mapping(root.get("metadata")).get("name")
        yield KubernetesObject(kind, text(root.get("apiVersion")), text(name), path, root)


def _with_kind(item: object, kind: str, parent: Mapping[str, Any]) -> object:
    """Items of a typed list may leave out their kind: the list's own kind says it."""
    if isinstance(item, dict) and kind and not item.get("kind"):
        return {"apiVersion": parent.get("apiVersion"), "kind": kind, **item}
    return item


def template_path(item: KubernetesObject) -> Path | None:
    """Where the Pod template stands inside the object, or None if its kind is not known to carry one."""
    custom = CUSTOM_TEMPLATE_PATHS.get((item.group, item.kind))
    return custom if custom is not None else TEMPLATE_PATHS.get(item.kind)


def container_shaped(value: object, path: Path = ()) -> Path | None:
    """The first subtree that looks like a Pod spec: a `containers` list whose members have an `image`."""
    if len(path) > _MAX_DEPTH:
        return None
    if isinstance(value, dict):
        if _looks_like_containers(value.get("containers")):
            return path
        children: Iterator[tuple[str | int, object]] = iter(value.items())
    elif isinstance(value, list):
        children = iter(enumerate(value))
    else:
        return None
    for key, child in children:
        if isinstance(child, dict | list) and (found := container_shaped(child, (*path, key))) is not None:
            return found
    return None


def _looks_like_containers(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(member, dict) and "image" in member for member in value)
