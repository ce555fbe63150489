"""What is wrong with a Pod, in words that name it, its container and the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from atomctl.canonical import Json
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import mapping, whole_number

_CANNOT_START: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "InvalidImageName",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    }
)
"""Reasons of waiting containers that pass only when somebody changes something."""


def name_of(item: Object) -> str:
    """`metadata.name`."""
    return str(mapping(item, "metadata").get("name", ""))


def why_it_cannot_start(pod: Object) -> str | None:
    """Why waiting for the Pod is in vain, such as `Pod web-0, container app: ErrImagePull: ...`; None if it is not."""
    for status in _statuses(pod):
        waiting = mapping(status, "state", "waiting")
        if waiting.get("reason") in _CANNOT_START:
            return f"{_where(pod, status)}: {_said(waiting)}"
    return None


def why_it_ended(pod: Object) -> str | None:
    """Why the Pod, or a container of it, ended badly: evicted, killed for memory, an exit code; None if none did."""
    whole = mapping(pod, "status")
    if whole.get("phase") == "Failed" and whole.get("reason"):
        return f"Pod {name_of(pod)}: {_said(whole)}"
    for status in _statuses(pod):
        for kind in ("state", "lastState"):
            ended = mapping(status, kind, "terminated")
            if ended and (whole_number(ended, "exitCode") or ended.get("reason") not in {None, "Completed"}):
                return f"{_where(pod, status)}: {_said(ended)} (exit code {whole_number(ended, 'exitCode')})"
    return None


def why_it_is_not_ready(pod: Object) -> str | None:
    """The most telling reason why the Pod is not ready; None if it is."""
    conditions = {str(c.get("type")): c for c in _items(pod, "conditions")}
    if mapping(conditions, "Ready").get("status") == "True":
        return None
    if (found := why_it_cannot_start(pod) or why_it_ended(pod)) is not None:
        return found
    for status in _statuses(pod):
        waiting = mapping(status, "state", "waiting")
        if waiting.get("reason") not in {None, "ContainerCreating", "PodInitializing"}:
            return f"{_where(pod, status)}: {_said(waiting)}"
    for kind in ("PodScheduled", "Ready"):
        condition = mapping(conditions, kind)
        if condition.get("status") == "False":
            return f"Pod {name_of(pod)}: {_said(condition)}"
    return f"Pod {name_of(pod)}: phase {mapping(pod, 'status').get('phase', 'Unknown')}"


def _statuses(pod: Object) -> Iterator[Object]:
    for kind in ("initContainerStatuses", "containerStatuses"):
        yield from _items(pod, kind)


def _items(pod: Object, name: str) -> list[Object]:
    found = mapping(pod, "status").get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _where(pod: Object, status: Object) -> str:
    return f"Pod {name_of(pod)}, container {status.get('name')}"


def _said(what: dict[str, Json]) -> str:
    parts = (str(what[name]) for name in ("reason", "message") if what.get(name))
    return ": ".join(" ".join(part.split())[:400] for part in parts) or "no reason is given"
