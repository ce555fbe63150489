"""get: what an object is now, for the conditions and values of later steps."""

from __future__ import annotations

from atomctl.canonical import Json
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.kinds import SECRET
from atomctl.kubernetes.objects import shown, state_digest
from atomctl.kubernetes.pods import name_of
from atomctl.runs.steps.kubernetes.action import Action


def get(action: Action) -> dict[str, Json]:
    """The output `object`, or `objects` where a selector is given; of a Secret only that it is there.

    Raises:
        AtomError: KUB011 it is not there.
    """
    kind = action.kind()
    named = action.text("name") is not None
    found = [action.read(action.references(kind)[0])] if named else action.selected(kind)
    for item in found:
        action.say(f"{kind.name} {name_of(item)}: {state_digest(item)}")
    if kind == SECRET:
        return {}
    return outputs_of(found, named=named)


def outputs_of(items: list[Object], *, named: bool) -> dict[str, Json]:
    """What later steps read of the objects."""
    if named:
        return {"object": shown(items[0])} if items else {}
    return {"objects": [shown(item) for item in items]}
