"""Whether an object is still what people approved a change of, or what this run itself made of it. Pure."""

from __future__ import annotations

from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import state_digest
from atomctl.kubernetes.references import Reference
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.model import Grounds

ABSENT: Final = "absent"
_LEAVES_REPLICAS: Final = frozenset({"restart"})
"""Actions that do not care how many replicas there are, which an autoscaler may change between approval and run."""


def ground_of(action: str, before: Object | None) -> str:
    """What names the state that a preview is made from: a digest, or `absent`."""
    if before is None:
        return ABSENT
    return str(state_digest(before, without_replicas=action in _LEAVES_REPLICAS))


def require_ground(action: str, reference: Reference, before: Object | None, grounds: Grounds) -> None:
    """Returns if the object is in the state of the approved preview, or in one that this run's own steps left.

    A step without a preview has nothing to compare with: a compensation, or one whose values come from other steps.

    Raises:
        AtomError: RUN681 it is in another state, or was not among the objects of the preview.
    """
    if grounds.approved is None or _is_own(reference, before, grounds):
        return
    entry = next((entry for entry in grounds.approved if entry["object"] == str(reference)), None)
    if entry is None:
        raise AtomError(codes.DRIFT, f"{reference} was not among the objects of the preview that was approved")
    ground = entry["ground"]
    if ground is not None and ground != ground_of(action, before):
        why = f"{reference} is not in the state any more that the preview was made from"
        raise AtomError(codes.DRIFT, why + (": it is gone" if before is None else ""))


def _is_own(reference: Reference, before: Object | None, grounds: Grounds) -> bool:
    now = ABSENT if before is None else str(state_digest(before))
    mine = [change for change in grounds.own if change.words == str(reference)]
    left: set[Json] = {
        str(digest) if digest is not None else ABSENT
        for change in mine
        for digest in (change.before_digest, change.after_digest)
    }
    return now in left
