"""What an object is apart from what the cluster writes into it: its normal form, its digest, how two differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from atomctl.canonical import Digest, Json, digest_json
from atomctl.kubernetes.calls import Object

_KEPT_METADATA: Final = frozenset({"name", "namespace", "labels", "annotations", "finalizers", "ownerReferences"})
_CONTROLLERS_NOTES: Final = frozenset({"deployment.kubernetes.io/revision", "deprecated.daemonset.template.generation"})
"""Annotations that controllers keep up to date by themselves."""
_LONGEST_SHOWN: Final = 300
ABSENT: Final = "(absent)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two states of an object differ; `before` and `after` are texts for people."""

    path: str
    """Such as `spec.template.spec.containers[web].image`."""
    before: str
    after: str

    def to_json(self) -> dict[str, Json]:
        """As it stands in previews."""
        return {"path": self.path, "before": self.before, "after": self.after}


def normal_form(item: Object) -> Object:
    """What somebody wanted of the object: without status, and without what the server and controllers note in it."""
    form = {name: value for name, value in item.items() if name not in {"status", "metadata"}}
    metadata = {name: value for name, value in mapping(item, "metadata").items() if name in _KEPT_METADATA}
    notes = {name: text for name, text in mapping(metadata, "annotations").items() if name not in _CONTROLLERS_NOTES}
    metadata.pop("annotations", None)
    if notes:
        metadata["annotations"] = notes
    return {**form, "metadata": metadata}


def is_secret(item: Object) -> bool:
    """Whether its content is never shown, kept or digested."""
    return item.get("kind") == "Secret" and item.get("apiVersion") == "v1"


def state_digest(item: Object, *, without_replicas: bool = False) -> Digest:
    """What identifies the state of an object.

    A Secret's is of its uid and resource version: from a digest of its values, whoever reads the audit log could try
    passwords out.

    Args:
        item: the object, as the server said it.
        without_replicas: leaves `spec.replicas` out, which an autoscaler changes at any time.
    """
    if is_secret(item):
        metadata = mapping(item, "metadata")
        return digest_json({"uid": metadata.get("uid"), "resourceVersion": metadata.get("resourceVersion")})
    form = normal_form(item)
    if without_replicas:
        form["spec"] = {name: value for name, value in mapping(form, "spec").items() if name != "replicas"}
    return digest_json(form)


def differences(before: Object | None, after: Object | None) -> tuple[Difference, ...]:
    """Where the two states differ, by path; None is an object that is not there."""
    if before is None or after is None:
        there, gone = ("(there)", "(not there)") if before is not None else ("(not there)", "(there)")
        return () if before is after else (Difference("", there, gone),)
    return tuple(_differences("", normal_form(before), normal_form(after)))


def same_state(before: Object | None, after: Object | None) -> bool:
    """Whether nothing but the cluster's own notes differs."""
    if before is None or after is None:
        return before is after
    return normal_form(before) == normal_form(after)


def shown(item: Object) -> Object:
    """The object as steps and people may read it: without the list of who holds which field."""
    metadata = {name: value for name, value in mapping(item, "metadata").items() if name != "managedFields"}
    return {**item, "metadata": metadata}


def mapping(item: Mapping[str, Json], *path: str) -> dict[str, Json]:
    """The mapping at a path; empty where there is none."""
    found: Json = dict(item)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def whole_number(item: Mapping[str, Json], *path: str) -> int:
    """The number at a path; 0 where there is none, as the API leaves zeros out."""
    found = mapping(item, *path[:-1]).get(path[-1])
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _differences(path: str, before: Json, after: Json) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else name
            if name not in before or name not in after:
                yield Difference(inner, _text(before, name), _text(after, name))
            else:
                yield from _differences(inner, before[name], after[name])
    elif (named := _by_name(before)) is not None and (named_after := _by_name(after)) is not None:
        for name in [*named, *(n for n in named_after if n not in named)]:
            inner = f"{path}[{name}]"
            if name not in named or name not in named_after:
                yield Difference(inner, _text(named, name), _text(named_after, name))
            else:
                yield from _differences(inner, named[name], named_after[name])
    else:
        yield Difference(path, _shortened(before), _shortened(after))


def _by_name(value: Json) -> dict[str, Json] | None:
    """The items of a list by their names, where all have one of their own, as containers and volumes do."""
    if not isinstance(value, list):
        return None
    named: dict[str, Json] = {
        str(item["name"]): item for item in value if isinstance(item, dict) and isinstance(item.get("name"), str)
    }
    return named if len(named) == len(value) and value else None


def _text(values: Mapping[str, Json], name: str) -> str:
    return _shortened(values[name]) if name in values else ABSENT


def _shortened(value: Json) -> str:
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}... ({len(text)} characters)"
