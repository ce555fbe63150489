"""events: what the cluster's controllers noted about an object and the Pods that belong to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.kinds import EVENT, POD, REPLICA_SET, Kind
from atomctl.kubernetes.objects import mapping
from atomctl.kubernetes.references import listing
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.revisions import owners_of

_MOST: Final = 100
_OWNS_BY_REPLICA_SET: Final = frozenset({"Deployment"})
_OWNS_PODS: Final = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet", "Job"})


def events(action: Action) -> dict[str, Json]:
    """The newest events go to the log of the step, oldest first, and are the output `events`.

    Raises:
        AtomError: RUN651 no namespace; KUB011 the object that is named is not there.
    """
    namespace = action.text("namespace")
    if namespace is None:
        raise AtomError(codes.BAD_CONFIG, "events lie in a namespace, and none is named")
    wanted = None if action.text("kind") is None else _family(action, action.kind())
    since = action.since()
    earliest = datetime.now(UTC) - since if since is not None else None
    found = [
        event
        for event in action.listed(listing(EVENT, namespace))
        if (wanted is None or mapping(event, "involvedObject").get("uid") in wanted)
        and (earliest is None or _time_of(event) >= earliest)
    ]
    found = sorted(found, key=_time_of)[-_MOST:]
    for event in found:
        action.say(_line(event))
    return {"events": [_short(event) for event in found]}


def _family(action: Action, kind: Kind) -> set[object]:
    """The uids of the objects that are meant and of what they own down to the Pods."""
    named = action.text("name") is not None
    objects = [action.read(action.references(kind)[0])] if named else action.selected(kind)
    uids: set[object] = {mapping(item, "metadata").get("uid") for item in objects}
    namespace = action.namespace(kind)
    if kind.name in _OWNS_BY_REPLICA_SET:
        sets = action.listed(listing(REPLICA_SET, namespace))
        uids |= _owned(sets, uids)
    if kind.name in _OWNS_BY_REPLICA_SET | _OWNS_PODS:
        uids |= _owned(action.listed(listing(POD, namespace)), uids)
    return uids


def _owned(items: list[Object], owners: set[object]) -> set[object]:
    return {mapping(item, "metadata").get("uid") for item in items if owners.intersection(owners_of(item))}


def _time_of(event: Object) -> datetime:
    for text in (event.get("lastTimestamp"), event.get("eventTime"), mapping(event, "metadata")["creationTimestamp"]):
        if isinstance(text, str):
            return datetime.fromisoformat(text)
    return datetime.fromtimestamp(0, UTC)


def _short(event: Object) -> dict[str, Json]:
    involved = mapping(event, "involvedObject")
    return {
        "time": _time_of(event).isoformat(),
        "type": event.get("type"),
        "reason": event.get("reason"),
        "object": f"{involved.get('kind')} {involved.get('name')}",
        "message": str(event.get("message", ""))[:1000],
        "count": event.get("count") or 1,
    }


def _line(event: Object) -> str:
    short = _short(event)
    return f"{short['time']} {short['type']} {short['object']}: {short['reason']}: {short['message']}"
