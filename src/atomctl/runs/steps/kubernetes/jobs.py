"""job: a Job of the package runs to its end. One that an earlier attempt of the same try made is looked up again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import FIELD_MANAGER, Call, GivenUpError, Object, Patience
from atomctl.kubernetes.kinds import JOB, POD
from atomctl.kubernetes.objects import mapping
from atomctl.kubernetes.pods import why_it_cannot_start, why_it_ended
from atomctl.kubernetes.references import Reference, collection, listing
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.applying import manifest_objects
from atomctl.runs.steps.kubernetes.conditions import condition_of, holds, words_of
from atomctl.runs.steps.kubernetes.deleting import deletion
from atomctl.runs.steps.kubernetes.looking import look_until
from atomctl.runs.steps.kubernetes.mutation import Mutation, carry_out, read_or_none

OWNER: Final = "atomctl.dev/step"
"""The annotation by which a step recognises its own Job: the run and step."""
TRY: Final = "atomctl.dev/try"
_LOOKS_BEFORE_GIVING_UP: Final = 7
"""How often a Pod must be seen unable to start: an image may be there at the second try of the node."""
_FAREWELL_SECONDS: Final = 10.0


def job(action: Action) -> dict[str, Json]:
    """The Job is complete; the output `object` is the Job.

    A Job that is given up, because the step is cancelled or its time is over, is removed with its Pods.

    Raises:
        AtomError: KUB014 another Job has the name, KUB022 it failed, KUB023 its Pods cannot start, KUB021 not within
            the timeout.
        GivenUpError: it was cancelled.
    """
    reference, wanted = job_of(action)
    found = read_or_none(action, reference, may_be_absent=True)
    if _is_of_try(action, found):
        action.say(f"{reference}: made by an earlier attempt; going on with it")
    else:
        if _is_of_step(action, found):
            carry_out(action, deletion(action, reference))
        carry_out(action, creation(reference, wanted))
    try:
        _complete(action, reference)
    except (GivenUpError, AtomError) as ending:
        if not isinstance(ending, AtomError) or ending.code in {codes.NOT_IN_TIME, codes.NOT_STARTING}:
            _remove(action, reference)
        raise
    return {"object": action.read(reference)}


def job_of(action: Action) -> tuple[Reference, Object]:
    """The one Job of `config.manifest`, marked as this step's.

    Raises:
        AtomError: RUN651 it is not one Job.
    """
    objects = manifest_objects(action)
    if len(objects) != 1 or objects[0][0].kind != JOB:
        raise AtomError(step_codes.BAD_CONFIG, "the manifest of a job action is one Job")
    reference, wanted = objects[0]
    metadata = mapping(wanted, "metadata")
    grounds = action.grounds
    mark: Object = {OWNER: grounds.owner, TRY: str(grounds.try_number)} if grounds else {}
    notes = {**mapping(metadata, "annotations"), **mark}
    return reference, {**wanted, "metadata": {**metadata, "annotations": notes}}


def creation(reference: Reference, wanted: Object) -> Mutation:
    """The Job is made, if none of the name is there.

    Raises:
        AtomError: from its call, KUB014 one is.
    """

    def call(before: Object | None) -> Call:
        if before is not None:
            raise AtomError(codes.EXISTS, f"create {reference}: a Job of the name is there, and it is not this step's")
        path, query = collection(reference.kind, reference.namespace), {"fieldManager": FIELD_MANAGER}
        return Call(method="POST", path=path, what=f"create {reference}", body=wanted, query=query)

    return Mutation(reference=reference, call=call, may_be_absent=True)


def _is_of_step(action: Action, found: Object | None) -> bool:
    """Whether this step made the Job, in whatever try."""
    notes = mapping(found or {}, "metadata", "annotations")
    return action.grounds is not None and notes.get(OWNER) == action.grounds.owner


def _is_of_try(action: Action, found: Object | None) -> bool:
    """Whether an attempt of this very try made it, and was lost."""
    notes = mapping(found or {}, "metadata", "annotations")
    return (
        _is_of_step(action, found) and action.grounds is not None and notes.get(TRY) == str(action.grounds.try_number)
    )


def _complete(action: Action, reference: Reference) -> None:
    missing = look_until(action, str(reference), _looker(action, reference))
    if missing is not None:
        raise AtomError(codes.NOT_IN_TIME, f"{reference}: {missing}{_after(_pods(action, reference), why_it_ended)}")
    action.say(f"{reference}: complete")


def _looker(action: Action, reference: Reference) -> Callable[[], str | None]:
    stuck = 0

    def look() -> str | None:
        nonlocal stuck
        found = action.read(reference)
        if holds(found, "Complete"):
            return None
        if holds(found, "Failed"):
            why = words_of(condition_of(found, "Failed"))
            said = _after(_pods(action, reference), why_it_ended)
            raise AtomError(codes.JOB_FAILED, f"{reference}: {why}{said}")
        pods = _pods(action, reference)
        cannot = _after(pods, why_it_cannot_start)
        stuck = stuck + 1 if cannot else 0
        if stuck >= _LOOKS_BEFORE_GIVING_UP:
            raise AtomError(codes.NOT_STARTING, f"{reference}{cannot}")
        return f"not complete{cannot}"

    return look


def _pods(action: Action, reference: Reference) -> list[Object]:
    """The Job's Pods, if they may be listed: a help, not a condition."""
    try:
        return action.listed(listing(POD, reference.namespace, labels=f"batch.kubernetes.io/job-name={reference.name}"))
    except AtomError:
        return []


def _after(pods: list[Object], why: Callable[[Object], str | None]) -> str:
    said = next((found for pod in pods if (found := why(pod)) is not None), None)
    return f"; {said}" if said else ""


def _remove(action: Action, reference: Reference) -> None:
    """A last word to the cluster, for which there is a little time of its own."""
    farewell = Patience.of(_FAREWELL_SECONDS)
    body: Object = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
    try:
        action.cluster.ask(reference.call("DELETE", body=body), farewell)
        action.say(f"{reference}: removed with its Pods")
    except AtomError as error:
        action.say(f"{reference} could not be removed and may go on: {error}")
