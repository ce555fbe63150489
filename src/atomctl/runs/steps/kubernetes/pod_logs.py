"""logs: what the containers of a Pod, or of a workload's Pods, have said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.kinds import POD, Kind
from atomctl.kubernetes.objects import mapping
from atomctl.kubernetes.pods import name_of, why_it_is_not_ready
from atomctl.kubernetes.references import Reference, listing, reference_to
from atomctl.runs.steps.kubernetes.action import Action

_LINES: Final = 1000
_TEXT_BYTES: Final = 32 * 1024
"""How much of the end becomes the output `text`; the log of the step has all of it."""


def logs(action: Action) -> dict[str, Json]:
    """The last lines of each container go to the log of the step; their end is the output `text`.

    A container that has not started has no log, which the log says.
    """
    tail = action.number("tail_lines", 1, 100_000) or _LINES
    pods = pods_of(action)
    sources = [(pod, container) for pod in pods for container in _containers(action, pod)]
    said: list[str] = []
    for pod, container in sources:
        head = f"{name_of(pod)}/{container}: " if len(sources) > 1 else ""
        for line in _lines_of(action, pod, container, tail):
            said.append(head + line)
            action.say(head + line)
    if not sources:
        action.say("there are no Pods, and so no logs")
    return {"text": _end_of("\n".join(said))}


def pods_of(action: Action) -> list[Object]:
    """The Pods that are meant: by name, by selector, or those of the workload that is named.

    Raises:
        AtomError: KUB011 the workload or Pod is not there.
    """
    kind = action.kind(default="Pod")
    if kind == POD:
        return [action.read(action.references(kind)[0])] if action.text("name") else action.selected(kind)
    if action.text("name") is None:
        return [pod for workload in action.selected(kind) for pod in _pods_of_workload(action, kind, workload)]
    return _pods_of_workload(action, kind, action.read(action.references(kind)[0]))


def _pods_of_workload(action: Action, kind: Kind, workload: Object) -> list[Object]:
    labels = mapping(workload, "spec", "selector", "matchLabels")
    reference = reference_to(kind, workload)
    if not labels:
        return []
    selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
    return action.listed(listing(POD, reference.namespace, labels=selector))


def _containers(action: Action, pod: Object) -> Iterator[str]:
    wanted = action.text("container")
    for kind in ("initContainers", "containers"):
        found = mapping(pod, "spec").get(kind)
        for container in found if isinstance(found, list) else []:
            if isinstance(container, dict) and wanted in {None, container.get("name")}:
                yield str(container.get("name"))


def _lines_of(action: Action, pod: Object, container: str, tail: int) -> Iterator[str]:
    reference = reference_to(POD, pod)
    query = {"container": container, "tailLines": str(tail)}
    if (since := action.since()) is not None:
        query["sinceSeconds"] = str(max(1, int(since.total_seconds())))
    try:
        with action.cluster.lines(reference.call("GET", "log", query=query), action.patience) as lines:
            for line in lines:
                yield line.decode(errors="replace")
    except AtomError as error:
        if not _has_no_log(error, reference):
            raise
        why = why_it_is_not_ready(pod) or error.why
        action.say(f"{reference}, container {container}: no log: {why}")


def _has_no_log(error: AtomError, reference: Reference) -> bool:
    """A container that waits to be started, or a Pod that has gone since it was listed."""
    waits = error.code is codes.INVALID and "waiting to start" in error.why
    return waits or "is not available" in error.why or (error.code is codes.NOT_FOUND and reference.name in error.why)


def _end_of(text: str) -> str:
    data = text.encode()
    return text if len(data) <= _TEXT_BYTES else data[-_TEXT_BYTES:].decode(errors="ignore")
