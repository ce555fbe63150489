"""Putting an object back to how it was, and refusing to do so over somebody else's later change. Pure.

What a step changed is known from the states before and after it. Each of these places must still say what the step
left there; what others changed elsewhere since stays as it is. A Pod template is one place: a rollout is of the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from atomctl.canonical import Json
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import normal_form

Place = tuple[str, ...]

_TEMPLATE: Final[Place] = ("spec", "template")


def changed_places(before: Object, after: Object) -> tuple[Place, ...]:
    """The places where the two states differ; a list is one place."""
    found = dict.fromkeys(_whole(place) for place in _places((), normal_form(before), normal_form(after)))
    return tuple(found)


def changed_since(after: Object, current: Object, places: tuple[Place, ...]) -> tuple[str, ...]:
    """Those of the places that do not say any more what the step left there, as people write them."""
    left, now = normal_form(after), normal_form(current)
    return tuple(".".join(place) for place in places if _at(left, place) != _at(now, place))


def patch_back(before: Object, current: Object, places: tuple[Place, ...]) -> Object:
    """The JSON merge patch (RFC 7386) that puts the places back to `before` and leaves everything else as it is."""
    now = normal_form(current)
    wanted = now
    for place in places:
        wanted = _with(wanted, place, _at(normal_form(before), place))
    return _merge_patch(now, wanted)


def recreated(before: Object) -> Object:
    """The object as it can be created again: without what belonged to the one that is gone."""
    form = normal_form(before)
    metadata = form["metadata"]
    assert isinstance(metadata, dict), "the normal form of an object has metadata"
    metadata = {name: value for name, value in metadata.items() if name not in {"ownerReferences", "finalizers"}}
    spec = form.get("spec")
    if form.get("kind") == "Service" and isinstance(spec, dict):
        form["spec"] = {name: value for name, value in spec.items() if name not in {"clusterIP", "clusterIPs"}}
    if form.get("kind") == "Job" and isinstance(spec, dict):
        form["spec"] = _without_selector(spec)
    return {**form, "metadata": metadata}


def _without_selector(spec: Object) -> Object:
    """A Job's spec without the selector and labels that the API server made for the old one's uid."""
    template = spec.get("template")
    kept = {name: value for name, value in spec.items() if name != "selector"}
    if isinstance(template, dict) and isinstance(metadata := template.get("metadata"), dict):
        labels = metadata.get("labels")
        own = {n: v for n, v in labels.items() if "controller-uid" not in n} if isinstance(labels, dict) else {}
        kept["template"] = {**template, "metadata": {**metadata, "labels": own}}
    return kept


def _places(path: Place, before: Json, after: Json) -> Iterator[Place]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            yield from _places((*path, name), before.get(name, _NOTHING), after.get(name, _NOTHING))
    elif before != after:
        yield path


_NOTHING: Final = "\x00nothing"
"""Stands for a value that is not there; no Kubernetes object holds a NUL."""


def _whole(place: Place) -> Place:
    return _TEMPLATE if place[: len(_TEMPLATE)] == _TEMPLATE else place


def _at(item: Json, place: Place) -> Json:
    for name in place:
        item = item.get(name, _NOTHING) if isinstance(item, dict) else _NOTHING
    return item


def _with(item: Json, place: Place, value: Json) -> Object:
    """A copy with another value at the place, or without it if the value is nothing."""
    known = dict(item) if isinstance(item, dict) else {}
    if len(place) > 1:
        inner = _with(known.get(place[0]), place[1:], value)
        return {**known, place[0]: inner} if inner or place[0] in known else known
    if value == _NOTHING:
        known.pop(place[0], None)
        return known
    return {**known, place[0]: value}


def _merge_patch(now: Object, wanted: Object) -> Object:
    patch: Object = {name: None for name in now if name not in wanted}
    for name, value in wanted.items():
        present = now.get(name, _NOTHING)
        if isinstance(value, dict) and isinstance(present, dict):
            if inner := _merge_patch(present, value):
                patch[name] = inner
        elif value != present:
            patch[name] = value
    return patch
