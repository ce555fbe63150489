"""Which permissions a k8s handler needs for what it does. Pure.

What is a help and no condition is left out: Pods are looked at where they may be, to say why something is not ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from atomctl.canonical import Json
from atomctl.kubernetes.kinds import SECRET, Kind, known_kind
from atomctl.kubernetes.permissions import Permission

_POD_LOGS: Final = Permission("", "pods", "get", "log")
_PODS: Final = Permission("", "pods", "list")
_EVENTS: Final = Permission("", "events", "list")
_REPLICA_SETS: Final = Permission("apps", "replicasets", "list")
_SETS_NEED: Final[Mapping[str, tuple[Permission, ...]]] = {
    "Deployment": (_REPLICA_SETS,),
    "StatefulSet": (Permission("apps", "controllerrevisions", "list"),),
    "DaemonSet": (Permission("apps", "controllerrevisions", "list"),),
}


def needs_of(config: Mapping[str, Json], *, undoes: str | None = None) -> frozenset[Permission]:
    """What carrying the handler out takes, as far as its configuration says already; nothing for unknown kinds.

    Args:
        config: the handler's configuration, rendered as far as the parameters allow.
        undoes: the action of the step that it compensates, whose record says what has to be put back.
    """
    namespace = _known(config.get("namespace"))
    found = _needs(config, undoes)
    return frozenset(
        Permission(each.group, each.resource, each.verb, each.subresource, namespace or "")
        for each in found
        if namespace is not None
    )


def namespace_of(config: Mapping[str, Json]) -> str | None:
    """The namespace a handler works in, if its configuration says it already."""
    return _known(config.get("namespace")) or None


def _needs(config: Mapping[str, Json], undoes: str | None) -> Iterator[Permission]:
    action = str(config.get("action"))
    if action in {"apply", "job"}:
        yield from _of_manifest(action, config.get("manifest"))
        return
    name = _known(config.get("kind")) or ("Pod" if action == "logs" else None)
    kind = known_kind(name, _known(config.get("api_version")) or None) if name else None
    if action == "events":
        yield from _of_events(kind)
        return
    if kind is None:
        return
    if "selector" in config and "name" not in config:
        yield _on(kind, "list")
    if action != "undo":
        yield from _OF_ACTION[action](kind)
    elif undoes is None or "revision" in config:
        yield from _changed("patch")(kind)
        yield from _SETS_NEED.get(kind.name, ())
    else:
        yield from _changed(*_WAY_BACK.get(undoes, ("patch",)))(kind)


def _of_manifest(action: str, manifest: Json) -> Iterator[Permission]:
    """What is written out in the handler; a file of the package is read when it is applied."""
    if not isinstance(manifest, dict):
        return
    kind = known_kind(str(manifest.get("kind")), str(manifest.get("apiVersion")))
    if kind is None:
        return
    verbs = ("get", "create") if action == "job" else ("get", "create", "patch")
    yield from (_on(kind, verb) for verb in verbs if not (kind == SECRET and verb == "get"))


def _of_events(kind: Kind | None) -> Iterator[Permission]:
    yield _EVENTS
    if kind is None:
        return
    yield _on(kind, "get")
    if kind.name == "Deployment":
        yield _REPLICA_SETS
    if kind.name in {"Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job"}:
        yield _PODS


def _changed(*verbs: str, subresource: str = "") -> Callable[[Kind], Iterator[Permission]]:
    def found(kind: Kind) -> Iterator[Permission]:
        if kind != SECRET:
            yield _on(kind, "get")
        yield from (_on(kind, verb, subresource) for verb in verbs)

    return found


def _of_logs(kind: Kind) -> Iterator[Permission]:
    yield _POD_LOGS
    yield _on(kind, "get")
    if kind.name != "Pod":
        yield _PODS


def _on(kind: Kind, verb: str, subresource: str = "") -> Permission:
    return Permission(kind.group, kind.plural, verb, subresource)


def _known(value: Json) -> str | None:
    """The text, unless it is a template that reads what is not known yet; empty where there is none."""
    if value is None:
        return ""
    return value if isinstance(value, str) and "${{" not in value else None


_WAY_BACK: Final = {"delete": ("create",), "job": ("delete",), "apply": ("patch", "delete")}
"""What undoing an action takes, where it is not a patch alone."""
_OF_ACTION: Final[Mapping[str, Callable[[Kind], Iterator[Permission]]]] = {
    "get": lambda kind: iter((_on(kind, "get"),)),
    "patch": _changed("patch"),
    "scale": _changed("patch", subresource="scale"),
    "restart": _changed("patch"),
    "delete": _changed("delete"),
    "rollout-status": lambda kind: iter((_on(kind, "get"),)),
    "wait": lambda kind: iter((_on(kind, "get"),)),
    "logs": _of_logs,
}
