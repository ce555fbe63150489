"""Which code carries out which action, and what it hands on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.kubernetes import codes as cluster_codes
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import is_secret
from atomctl.runs.steps import codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.applying import apply
from atomctl.runs.steps.kubernetes.deleting import delete
from atomctl.runs.steps.kubernetes.events import events
from atomctl.runs.steps.kubernetes.getting import get, outputs_of
from atomctl.runs.steps.kubernetes.jobs import creation, job, job_of
from atomctl.runs.steps.kubernetes.mutation import Mutation, carry_out
from atomctl.runs.steps.kubernetes.patching import patch, restart, scale
from atomctl.runs.steps.kubernetes.pod_logs import logs
from atomctl.runs.steps.kubernetes.rollouts import rollout_status
from atomctl.runs.steps.kubernetes.undoing import undo
from atomctl.runs.steps.kubernetes.waiting import wait

_HAND_ON: Final = frozenset({"apply", "patch", "scale"})
"""Changing actions whose objects later steps may read."""


def mutations_of(action: Action) -> list[Mutation] | None:
    """The changes that the action makes, for a preview or to be made; None if it makes none.

    Raises:
        AtomError: RUN651 the configuration cannot be carried out; KUB011 a selector matches nothing; KUB001 to KUB017.
    """
    if action.name == "job":
        return [creation(*job_of(action))]
    make = _CHANGING.get(action.name)
    if make is None:
        return None
    found = make(action)
    if not found and action.name != "undo" and action.text("selector"):
        why = f"{action.name}: nothing matches {action.text('selector')} in namespace {action.text('namespace')}"
        raise AtomError(cluster_codes.NOT_FOUND, why)
    return found


def perform(action: Action) -> dict[str, Json]:
    """The action is done; its outputs.

    Raises:
        AtomError: RUN651 it cannot be carried out as configured; RUN681 to RUN684; KUB001 to KUB029.
        GivenUpError: it was cancelled.
    """
    reading = _READING.get(action.name)
    if reading is not None:
        return reading(action) or {}
    mutations = mutations_of(action)
    if mutations is None:
        raise AtomError(codes.BAD_CONFIG, f"there is no action {action.name!r}")
    after = [carry_out(action, mutation) for mutation in mutations]
    if action.name not in _HAND_ON:
        return {}
    known: list[Object] = [item for item in after if item is not None and not is_secret(item)]
    return outputs_of(known, named=len(mutations) == 1 and action.text("selector") is None)


_CHANGING: Final[Mapping[str, Callable[[Action], list[Mutation]]]] = {
    "apply": apply,
    "patch": patch,
    "scale": scale,
    "restart": restart,
    "undo": undo,
    "delete": delete,
}
_READING: Final[Mapping[str, Callable[[Action], dict[str, Json] | None]]] = {
    "get": get,
    "logs": logs,
    "events": events,
    "rollout-status": rollout_status,
    "wait": wait,
    "job": job,
}
"""What is not a list of changes; a Job's creation is one, its run is more."""
