"""The conditions in the status of an object. Pure."""

from __future__ import annotations

from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import mapping


def condition_of(item: Object, kind: str) -> Object:
    """The condition of this type, whatever its case; empty if there is none."""
    found = mapping(item, "status").get("conditions")
    for condition in found if isinstance(found, list) else []:
        if isinstance(condition, dict) and str(condition.get("type", "")).lower() == kind.lower():
            return condition
    return {}


def holds(item: Object, kind: str) -> bool:
    """Whether the condition is `True`."""
    return condition_of(item, kind).get("status") == "True"


def words_of(condition: Object) -> str:
    """What the condition says: reason and message."""
    return ": ".join(str(condition[name]) for name in ("reason", "message") if condition.get(name)) or "no reason given"
