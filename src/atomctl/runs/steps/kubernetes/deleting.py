"""delete: objects are gone; what is gone already stays gone."""

from __future__ import annotations

from typing import Final

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Call, Object
from atomctl.kubernetes.kinds import SECRET
from atomctl.kubernetes.objects import mapping
from atomctl.kubernetes.references import Reference
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.mutation import Mutation

_PAUSE_SECONDS: Final = 0.5


def delete(action: Action) -> list[Mutation]:
    """Each object, with what it owns."""
    return [deletion(action, reference) for reference in action.references(action.kind())]


def deletion(action: Action, reference: Reference) -> Mutation:
    """The removal of the very object that was read, and of no other that has taken its name since."""

    def call(before: Object | None) -> Call | None:
        if before is None and reference.kind != SECRET:
            return None
        known = mapping(before or {}, "metadata")
        same = {name: known[name] for name in ("uid", "resourceVersion") if name in known}
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        return reference.call("DELETE", body={**body, "preconditions": same} if same else body)

    return Mutation(
        reference=reference,
        call=call,
        after=lambda before, answer: None,  # noqa: ARG005  # whatever the server answers: it is gone
        may_be_absent=True,
        settled=lambda: _until_gone(action, reference),
    )


def _until_gone(action: Action, reference: Reference) -> Object | None:
    """Waits for finalizers and for Pods that end in their own time."""
    if reference.kind == SECRET:
        return None
    first: object = None
    while True:
        try:
            now = action.read(reference)
        except AtomError as error:
            if error.code is codes.NOT_FOUND:
                return None
            raise
        uid = mapping(now, "metadata").get("uid")
        first = first or uid
        if uid != first or "deletionTimestamp" not in mapping(now, "metadata"):
            return None  # another object has the name by now
        if action.patience.over:
            why = f"{reference} is marked as deleted, and its finalizers have not let it go"
            raise AtomError(codes.NOT_IN_TIME, why)
        action.patience.pause(_PAUSE_SECONDS)
