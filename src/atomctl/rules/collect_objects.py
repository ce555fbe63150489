"""Takes Kubernetes documents apart: objects, Pods, settings, and what stands in the strings of ConfigMaps."""

from __future__ import annotations

from atomctl.rules import settings
from atomctl.rules.collect_scripts import argument_list, shell_text
from atomctl.rules.extract import KubernetesObject, container_shaped, objects_in, template_path
from atomctl.rules.facts import PodFacts, read_pod
from atomctl.rules.material import Material, Spot
from atomctl.rules.shape import mapping, sequence
from atomctl.rules.source import MAX_NESTING, Document, NestedSource, read_nested, value_at
from atomctl.rules.subjects import Unread, UnreadFacts


def document(source: Document, into: Material) -> None:
    """Every object of a document."""
    for item in objects_in(source.value):
        kubernetes_object(source, item, into)


def kubernetes_object(source: Document, item: KubernetesObject, into: Material, *, partial: bool = False) -> None:
    """One object, whole or (a patch) `partial`, with the Pod it carries."""
    into.add(source, item, item.label, partial=partial)
    path = template_path(item)
    if path is not None:
        template = mapping(value_at(item.value, path))
        _pod(source, read_pod(template, (*item.path, *path), item), into, partial=partial)
    elif (found := container_shaped(item.value)) is not None:
        facts = UnreadFacts(item.label, Unread.KIND, f"the kind {item.kind}", (*item.path, *found))
        into.add(source, facts, item.label)
    if item.kind in ("ConfigMap", "Secret"):
        _entries(source, item, into)


def _pod(source: Document, pod: PodFacts, into: Material, *, partial: bool) -> None:
    into.add(source, pod, pod.label, partial=partial)
    for container in pod.containers:
        for setting in settings.of_container(container):
            into.add(source, setting, container.label)
        words: list[tuple[object, tuple[str | int, ...]]] = [
            (word, (key, index))
            for key in ("command", "args")
            for index, word in enumerate(sequence(container.value.get(key)))
        ]
        if words:
            argument_list(Spot(source, container.path, container.label), words, into)


def _entries(source: Document, item: KubernetesObject, into: Material) -> None:
    if item.kind == "Secret":
        for setting in settings.of_secret(item):
            into.add(source, setting, item.label)
        return
    for key, value in mapping(item.value.get("data")).items():
        if isinstance(value, str):
            _entry(source, Spot(source, (*item.path, "data", key), item.label), value, into)


def _entry(source: Document, spot: Spot, value: str, into: Material) -> None:
    if str(spot.path[-1]).endswith(".sh") or value.startswith("#!"):
        shell_text(spot, value, into)
    elif depth(source) < MAX_NESTING:
        for nested in read_nested(source, spot.path, value):
            document(nested, into)


def depth(source: Document) -> int:
    """In how many strings a document stands."""
    return 1 + depth(source.outer) if isinstance(source, NestedSource) else 0
