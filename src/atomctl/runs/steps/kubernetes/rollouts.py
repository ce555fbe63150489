"""rollout-status: waiting until a workload is what its specification says, or is known not to become so."""

from __future__ import annotations

from typing import Final

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.kinds import POD
from atomctl.kubernetes.objects import mapping, whole_number
from atomctl.kubernetes.pods import why_it_is_not_ready
from atomctl.kubernetes.references import Reference, listing
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.conditions import condition_of
from atomctl.runs.steps.kubernetes.looking import look_until

_WORKLOADS: Final = frozenset({"Deployment", "StatefulSet", "DaemonSet"})


def rollout_status(action: Action) -> None:
    """Every workload that is meant is rolled out.

    Raises:
        AtomError: KUB020 its controller gave up, KUB021 not within the timeout; both with what the Pods say.
    """
    kind = action.kind()
    if kind.name not in _WORKLOADS:
        raise AtomError(step_codes.BAD_CONFIG, f"a {kind.name} is not rolled out; {', '.join(sorted(_WORKLOADS))} are")
    for reference in action.references(kind):
        _rolled_out(action, reference)


def _rolled_out(action: Action, reference: Reference) -> None:
    def look() -> str | None:
        found = action.read(reference)
        if (given_up := why_given_up(found)) is not None:
            raise AtomError(codes.ROLLOUT_FAILED, f"{reference}: {given_up}{_pods_say(action, reference, found)}")
        return what_is_missing(found)

    missing = look_until(action, str(reference), look)
    if missing is not None:
        pods = _pods_say(action, reference, action.read(reference))
        raise AtomError(codes.NOT_IN_TIME, f"{reference} is not rolled out: {missing}{pods}")
    action.say(f"{reference}: rolled out")


def why_given_up(workload: Object) -> str | None:
    """Why its controller does not go on: the progress deadline of a Deployment; None if it does.

    What it said about an earlier specification does not count.
    """
    if not _is_seen(workload):
        return None
    progressing = condition_of(workload, "Progressing")
    if progressing.get("status") == "False" and progressing.get("reason") == "ProgressDeadlineExceeded":
        return f"ProgressDeadlineExceeded: {progressing.get('message', '')}".rstrip(": ")
    return None


def what_is_missing(workload: Object) -> str | None:
    """What the rollout still lacks, in words; None if it is complete. As `kubectl rollout status` judges it."""
    if not _is_seen(workload):
        return "its controller has not seen the change yet"
    match workload.get("kind"):
        case "DaemonSet":
            wanted = whole_number(workload, "status", "desiredNumberScheduled")
            updated, available = "updatedNumberScheduled", "numberAvailable"
        case _:
            wanted = _replicas(workload)
            updated, available = "updatedReplicas", "availableReplicas"
    for name, words in ((updated, "updated"), (available, "available")):
        count = whole_number(workload, "status", name)
        if count < wanted:
            return f"{count} of {wanted} replicas {words}"
    surplus = whole_number(workload, "status", "replicas") - whole_number(workload, "status", updated)
    if workload.get("kind") == "Deployment" and surplus > 0:
        return f"{surplus} old replicas are still there"
    return None


def _is_seen(workload: Object) -> bool:
    """Whether its status is about its present specification."""
    return whole_number(workload, "status", "observedGeneration") >= whole_number(workload, "metadata", "generation")


def _replicas(workload: Object) -> int:
    replicas = mapping(workload, "spec").get("replicas")
    return replicas if isinstance(replicas, int) else 1


def _pods_say(action: Action, reference: Reference, workload: Object) -> str:
    """What is wrong with its Pods, if they may be listed: a help, not a condition."""
    labels = mapping(workload, "spec", "selector", "matchLabels")
    selector = ",".join(f"{name}={value}" for name, value in sorted(labels.items()))
    try:
        pods = action.listed(listing(POD, reference.namespace, labels=selector)) if selector else []
    except AtomError:
        return ""
    said = [why for pod in pods if (why := why_it_is_not_ready(pod)) is not None]
    return f"; {said[0]}" if said else ""
