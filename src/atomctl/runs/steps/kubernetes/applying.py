"""apply: objects are as the manifest says, by server-side apply under ATOM's own field manager.

Fields that another manager holds are a conflict and are not taken away from it.
"""

from __future__ import annotations

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.kubernetes.calls import APPLY, FIELD_MANAGER, Call, Object
from atomctl.kubernetes.objects import mapping
from atomctl.kubernetes.references import Reference
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.mutation import Mutation, version_of
from atomctl.wpk.source_yaml import read_yaml


def apply(action: Action) -> list[Mutation]:
    """Each object of the manifest, in its order."""
    return [_applied(reference, wanted) for reference, wanted in manifest_objects(action)]


def manifest_objects(action: Action) -> list[tuple[Reference, Object]]:
    """The objects of `config.manifest`, each complete with the namespace it goes to.

    Raises:
        AtomError: RUN651 there is none, one is not an object, or it names another namespace than the handler does.
    """
    manifest = action.config.get("manifest")
    documents = _documents(action, manifest) if isinstance(manifest, str) else [manifest]
    found = [item for document in documents for item in _items(document)]
    if not found:
        raise AtomError(codes.BAD_CONFIG, "the manifest holds no object")
    return [_placed(action, item) for item in found]


def _documents(action: Action, name: str) -> list[Json]:
    file = action.folder / name
    try:
        data = file.read_bytes()
    except OSError as error:
        raise AtomError(codes.BAD_CONFIG, f"{name} is not in the package: {error.strerror}") from error
    return [node.value for node in read_yaml(data, name) if node.value is not None]


def _items(document: Json) -> list[Object]:
    """The object itself, or those of a `List`."""
    if not isinstance(document, dict):
        raise AtomError(codes.BAD_CONFIG, "the manifest is not an object")
    items = document.get("items")
    if document.get("kind") == "List" and isinstance(items, list):
        return [item for inner in items for item in _items(inner)]
    return [document]


def _placed(action: Action, item: Object) -> tuple[Reference, Object]:
    metadata = mapping(item, "metadata")
    name, kind_name, version = metadata.get("name"), item.get("kind"), item.get("apiVersion")
    if not (isinstance(name, str) and isinstance(kind_name, str) and isinstance(version, str)):
        raise AtomError(codes.BAD_CONFIG, "an object of the manifest has no apiVersion, kind or metadata.name")
    kind = action.kinds.find(kind_name, version, action.patience)
    if not kind.namespaced:
        return Reference(kind, None, name), item
    own, given = metadata.get("namespace"), action.text("namespace")
    if own is not None and given is not None and own != given:
        raise AtomError(codes.BAD_CONFIG, f"{kind_name} {name} names namespace {own}, and the handler {given}")
    namespace = own if own is not None else given
    if not isinstance(namespace, str):
        raise AtomError(codes.BAD_CONFIG, f"a {kind_name} lies in a namespace, and none is named")
    return Reference(kind, namespace, name), {**item, "metadata": {**metadata, "namespace": namespace}}


def _applied(reference: Reference, wanted: Object) -> Mutation:
    def call(before: Object | None) -> Call:
        body: Object = {**wanted, "metadata": {**mapping(wanted, "metadata"), **version_of(before)}}
        return reference.call("PATCH", body=body, content_type=APPLY, query={"fieldManager": FIELD_MANAGER})

    return Mutation(reference=reference, call=call, may_be_absent=True)
