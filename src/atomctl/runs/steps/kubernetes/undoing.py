"""undo: what a step of this run changed is put back; or, of a workload, an earlier revision comes back.

In a compensation the prior object that the step recorded counts, unless a revision is named. Anything that somebody
else has changed since in the same place is not written over: the undo is refused and says what it is.
"""

from __future__ import annotations

from atomctl.errors import AtomError
from atomctl.kubernetes.calls import FIELD_MANAGER, MERGE_PATCH, Call, Object
from atomctl.kubernetes.kinds import Kind
from atomctl.kubernetes.objects import same_state
from atomctl.kubernetes.references import Reference, collection
from atomctl.kubernetes.reverting import changed_places, changed_since, patch_back, recreated
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.deleting import deletion
from atomctl.runs.steps.kubernetes.model import ObjectChange
from atomctl.runs.steps.kubernetes.mutation import Mutation, version_of
from atomctl.runs.steps.kubernetes.revisions import earlier_revision


def undo(action: Action) -> list[Mutation]:
    """Each object as it was before the compensated step, or each workload in its earlier revision.

    Raises:
        AtomError: RUN682 somebody else changed it since, RUN683 what was there is not on record, RUN684 there is no
            such revision.
    """
    grounds = action.grounds
    kind = action.kind()
    if grounds is None or grounds.undoes is None or action.config.get("revision") is not None:
        return [earlier_revision(action, reference) for reference in action.references(kind)]
    changes = _meant(action, kind, [change for change in grounds.own if change.step == grounds.undoes])
    if not changes:
        action.say(f"{grounds.undoes} changed nothing of it: there is nothing to undo")
    return [_put_back(action, kind, of_one) for of_one in changes]


def _meant(action: Action, kind: Kind, changes: list[ObjectChange]) -> list[list[ObjectChange]]:
    """The changes of each object that the handler names, the last changed object first."""
    name, namespace = action.text("name"), action.namespace(kind)
    by_object: dict[str, list[ObjectChange]] = {}
    for change in reversed(changes):
        same_kind = (change.kind, change.api_version, change.namespace) == (kind.name, kind.api_version, namespace)
        if same_kind and name in {None, change.name}:
            by_object.setdefault(change.words, []).insert(0, change)
    return list(by_object.values())


def _put_back(action: Action, kind: Kind, changes: list[ObjectChange]) -> Mutation:
    """One object goes back to before the first of the changes, if the last of them is how it stands."""
    before, after = changes[0].before, changes[-1].after
    reference = Reference(kind, changes[0].namespace, changes[0].name)
    if not all(change.kept for change in changes):
        why = f"{reference}: the values of a Secret are not kept, so that they cannot be put back"
        raise AtomError(codes.NOT_KEPT, why)
    if before is None:
        return _removal(action, reference, after)
    return Mutation(
        reference=reference,
        call=lambda current: _call_back(reference, before, after, current),
        may_be_absent=True,
    )


def _removal(action: Action, reference: Reference, after: Object | None) -> Mutation:
    """The object that the step made goes; nobody else's."""
    removal = deletion(action, reference)

    def call(current: Object | None) -> Call | None:
        if current is not None and (after is None or changed_places(after, current)):
            raise _changed(reference, changed_places(after or {}, current))
        return removal.call(current)

    return Mutation(reference=reference, call=call, after=removal.after, may_be_absent=True, settled=removal.settled)


def _call_back(reference: Reference, before: Object, after: Object | None, current: Object | None) -> Call | None:
    if current is None:
        if after is not None:
            raise AtomError(codes.CHANGED_SINCE, f"{reference} was deleted by somebody else since")
        body = recreated(before)
        path = collection(reference.kind, reference.namespace)
        query = {"fieldManager": FIELD_MANAGER}
        return Call(method="POST", path=path, what=f"create {reference} again", body=body, query=query)
    if same_state(current, before):
        return None
    if after is None:
        raise AtomError(codes.CHANGED_SINCE, f"{reference} was made anew by somebody else since")
    places = changed_places(before, after)
    if all(place not in changed_places(before, current) for place in places):
        return None
    if since := changed_since(after, current, places):
        raise AtomError(codes.CHANGED_SINCE, f"{reference}: somebody else changed {', '.join(since)} since")
    patch = patch_back(before, current, places)
    whole: Object = {**patch, "metadata": {**_metadata(patch), **version_of(current)}}
    return reference.call("PATCH", body=whole, content_type=MERGE_PATCH, query={"fieldManager": FIELD_MANAGER})


def _metadata(patch: Object) -> Object:
    metadata = patch.get("metadata")
    return metadata if isinstance(metadata, dict) else {}


def _changed(reference: Reference, places: tuple[tuple[str, ...], ...]) -> AtomError:
    where = ", ".join(".".join(place) for place in places) or "it"
    return AtomError(codes.CHANGED_SINCE, f"{reference}: somebody else changed {where} since")
