"""Which images the objects of a cluster run. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_DEEPEST = 12


def images_of(objects: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """`{Kind namespace/name: container}: image` of each container; of an object that comes twice, the last.

    Lists of containers are found wherever they stand, so that kinds nobody thought of are understood, too.
    """
    found: dict[str, str] = {}
    for item in objects:
        owner = _owner(item)
        for container, image in _containers(item, _DEEPEST):
            found[f"{owner}: {container}"] = image
    return found


def _owner(item: Mapping[str, Any]) -> str:
    metadata = item.get("metadata")
    names = metadata if isinstance(metadata, Mapping) else {}
    place = "/".join(str(names[key]) for key in ("namespace", "name") if names.get(key))
    return f"{item.get('kind', 'object')} {place}".rstrip()


def _containers(value: Any, depth: int) -> Iterator[tuple[str, str]]:
    if depth == 0:
        return
    if isinstance(value, Mapping):
        for key, child in value.items():
            if key in _CONTAINERS and isinstance(child, list):
                yield from _images(child)
            else:
                yield from _containers(child, depth - 1)
    elif isinstance(value, list):
        for child in value:
            yield from _containers(child, depth - 1)


def _images(containers: list[Any]) -> Iterator[tuple[str, str]]:
    for container in containers:
        if isinstance(container, Mapping) and isinstance(container.get("image"), str):
            yield str(container.get("name", "container")), container["image"]
