"""Earlier revisions of a workload, as its controller keeps them: ReplicaSets, or ControllerRevisions."""

from __future__ import annotations

from typing import Final

from atomctl.errors import AtomError
from atomctl.kubernetes.calls import FIELD_MANAGER, MERGE_PATCH, STRATEGIC_PATCH, Call, Object
from atomctl.kubernetes.kinds import CONTROLLER_REVISION, REPLICA_SET
from atomctl.kubernetes.objects import mapping, whole_number
from atomctl.kubernetes.references import Reference, listing
from atomctl.kubernetes.reverting import patch_back
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.mutation import Mutation, version_of

_REVISION: Final = "deployment.kubernetes.io/revision"
_HASH: Final = "pod-template-hash"


def earlier_revision(action: Action, reference: Reference) -> Mutation:
    """The workload gets the Pod template of the revision that is asked for, else of the one before the current.

    Raises:
        AtomError: RUN651 the kind has no revisions.
    """
    if reference.kind.name == "Deployment":
        return Mutation(reference=reference, call=lambda current: _deployment(action, reference, current or {}))
    if reference.kind.name in {"StatefulSet", "DaemonSet"}:
        return Mutation(reference=reference, call=lambda current: _controlled(action, reference, current or {}))
    raise AtomError(codes.BAD_CONFIG, f"a {reference.kind.name} has no revisions to go back to")


def _deployment(action: Action, reference: Reference, current: Object) -> Call:
    sets = {_revision_of(each): each for each in _owned(action, listing(REPLICA_SET, reference.namespace), current)}
    chosen = sets[_choose(action, reference, sorted(sets))]
    template = mapping(chosen, "spec", "template")
    labels = {name: value for name, value in mapping(template, "metadata", "labels").items() if name != _HASH}
    wanted: Object = {**template, "metadata": {**mapping(template, "metadata"), "labels": labels}}
    back: Object = {**current, "spec": {**mapping(current, "spec"), "template": wanted}}
    patch = patch_back(back, current, (("spec", "template"),))
    body: Object = {**patch, "metadata": version_of(current)}
    return reference.call("PATCH", body=body, content_type=MERGE_PATCH, query={"fieldManager": FIELD_MANAGER})


def _controlled(action: Action, reference: Reference, current: Object) -> Call:
    """A ControllerRevision holds the strategic merge patch that its own controller would send."""
    revisions = _owned(action, listing(CONTROLLER_REVISION, reference.namespace), current)
    by_number = {whole_number(each, "revision"): each for each in revisions}
    data = mapping(by_number[_choose(action, reference, sorted(by_number))], "data")
    body: Object = {**data, "metadata": version_of(current)}
    return reference.call("PATCH", body=body, content_type=STRATEGIC_PATCH, query={"fieldManager": FIELD_MANAGER})


def _owned(action: Action, call: Call, owner: Object) -> list[Object]:
    uid = mapping(owner, "metadata").get("uid")
    return [item for item in action.listed(call) if uid in owners_of(item)]


def owners_of(item: Object) -> list[object]:
    """The uids of the objects it belongs to."""
    references = mapping(item, "metadata").get("ownerReferences")
    return [each.get("uid") for each in references if isinstance(each, dict)] if isinstance(references, list) else []


def _revision_of(replica_set: Object) -> int:
    text = str(mapping(replica_set, "metadata", "annotations").get(_REVISION, "0"))
    return int(text) if text.isdecimal() else 0


def _choose(action: Action, reference: Reference, known: list[int]) -> int:
    wanted = action.number("revision", 1, 1 << 31)
    if wanted is None and len(known) > 1:
        return known[-2]
    if wanted in known:
        return wanted
    what = f"revision {wanted}" if wanted is not None else "earlier revision"
    raise AtomError(codes.NO_REVISION, f"{reference} has no {what}; it has {', '.join(map(str, known)) or 'none'}")
