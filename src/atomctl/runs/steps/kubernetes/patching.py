"""patch, scale and restart: part of an object changes, the rest stays."""

from __future__ import annotations

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.kubernetes.calls import FIELD_MANAGER, MERGE_PATCH, STRATEGIC_PATCH, Call, Object
from atomctl.kubernetes.objects import mapping
from atomctl.kubernetes.references import Reference
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.mutation import Mutation, version_of

RESTARTED_BY = "atomctl.dev/restarted-by"
"""The annotation that makes a Pod template a new one: the run and step, so that a repeat restarts nothing twice."""


def patch(action: Action) -> list[Mutation]:
    """A strategic merge patch of each object, or a JSON merge patch where the kind is a custom resource."""
    body = action.config.get("patch")
    if not isinstance(body, dict):
        raise AtomError(codes.BAD_CONFIG, "patch is not a mapping")
    kind = action.kind()
    return [_patch_with(reference, body) for reference in action.references(kind)]


def restart(action: Action) -> list[Mutation]:
    """The Pods of each workload are replaced one after the other, as its strategy says."""
    owner = action.grounds.owner if action.grounds else "this run"
    template: Json = {"metadata": {"annotations": {RESTARTED_BY: owner}}}
    return [_patch_with(each, {"spec": {"template": template}}) for each in action.references(action.kind())]


def scale(action: Action) -> list[Mutation]:
    """Each workload has so many replicas, written through its `scale` subresource."""
    replicas = action.number("replicas", 0, 10_000)
    if replicas is None:
        raise AtomError(codes.BAD_CONFIG, "scale needs replicas")
    return [_scaled(action, reference, replicas) for reference in action.references(action.kind())]


def _patch_with(reference: Reference, body: Object) -> Mutation:
    content_type = STRATEGIC_PATCH if reference.kind.built_in else MERGE_PATCH

    def call(before: Object | None) -> Call:
        metadata = {**mapping(body, "metadata"), **version_of(before)}
        whole: Object = {**body, "metadata": metadata} if metadata else body
        query = {"fieldManager": FIELD_MANAGER}
        return reference.call("PATCH", body=whole, content_type=content_type, query=query)

    return Mutation(reference=reference, call=call)


def _scaled(action: Action, reference: Reference, replicas: int) -> Mutation:
    def call(before: Object | None) -> Call:
        body: Object = {"metadata": version_of(before), "spec": {"replicas": replicas}}
        query = {"fieldManager": FIELD_MANAGER}
        return reference.call("PATCH", "scale", body=body, content_type=MERGE_PATCH, query=query)

    def after(before: Object | None, answer: Object) -> Object:
        """The answer is a Scale; what it says goes into the object."""
        known = before or {}
        return {**known, "spec": {**mapping(known, "spec"), "replicas": mapping(answer, "spec").get("replicas", 0)}}

    return Mutation(reference=reference, call=call, after=after, settled=lambda: action.read(reference))
