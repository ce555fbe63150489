"""Changing one object: read it, try the change out, compare with what was approved, record it, make it.

The request carries the resource version that was read, so that nothing is written over a change that came between.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Call, Object, dry_run
from atomctl.kubernetes.kinds import SECRET
from atomctl.kubernetes.objects import differences, is_secret, mapping, same_state, state_digest
from atomctl.kubernetes.references import Reference
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.grounds import require_ground
from atomctl.runs.steps.kubernetes.model import Grounds, ObjectChange

_T = TypeVar("_T")

_TRIES: Final = 5
"""How often a change is made anew because somebody, often a controller, wrote the object in between."""


def _answer(before: Object | None, answer: Object) -> Object | None:  # noqa: ARG001  # one of several ways to know it
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One change that can be tried out and made.

    Attributes:
        reference: the object.
        call: the request, made for the state that was read; None: there is nothing to do.
        after: the state that follows, from the one before and the answer of the server.
        may_be_absent: whether the object need not be there.
        settled: reads what became of it, where the answer does not say so.
    """

    reference: Reference
    call: Callable[[Object | None], Call | None]
    after: Callable[[Object | None, Object], Object | None] = _answer
    may_be_absent: bool = False
    settled: Callable[[], Object | None] | None = None

    @property
    def readable(self) -> bool:
        """Whether the object is read first. A Secret never is: a step that writes one needs no right to read it."""
        return self.reference.kind != SECRET


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the server says would happen."""

    before: Object | None
    after: Object | None
    call: Call | None

    @property
    def nothing_to_do(self) -> bool:
        """Whether the object is already as it is wanted."""
        return self.call is None


def predict(action: Action, mutation: Mutation) -> Prediction:
    """The state before and, by the server's dry run, after; nothing is changed.

    Raises:
        AtomError: KUB001 to KUB018: the server would refuse the change, for this reason.
    """
    return _while_outdated(lambda: _predict(action, mutation))


def _while_outdated(do: Callable[[], _T]) -> _T:
    """What `do` returns, which reads and writes, tried again if somebody wrote in between."""
    for _ in range(_TRIES - 1):
        try:
            return do()
        except AtomError as error:
            if error.code is not codes.OUTDATED:
                raise
    return do()


def _predict(action: Action, mutation: Mutation) -> Prediction:
    before = read_or_none(action, mutation.reference, mutation.may_be_absent) if mutation.readable else None
    call = mutation.call(before)
    if call is None:
        return Prediction(before, before, None)
    answer = action.ask(dry_run(call))
    after = mutation.after(before, answer)
    if mutation.readable and same_state(before, after):
        return Prediction(before, after, None)
    return Prediction(before, after, call)


def carry_out(action: Action, mutation: Mutation) -> Object | None:
    """The state of the object after the change, which is on record with the state before.

    Nothing is written if nothing would change; that is not refused, whatever was approved.

    Raises:
        AtomError: RUN681 the object is not what was approved; RUN651 a probe must not change anything; KUB001 to
            KUB017.
        GivenUpError: it was cancelled, and nothing was changed.
    """
    if action.grounds is None:
        raise AtomError(step_codes.BAD_CONFIG, f"a probe changes nothing, and {action.name} would")
    grounds = action.grounds
    return _while_outdated(lambda: _carry_out(action, mutation, grounds))


def _carry_out(action: Action, mutation: Mutation, grounds: Grounds) -> Object | None:
    predicted = predict(action, mutation)
    if predicted.call is None:
        action.say(f"{mutation.reference}: nothing to change")
        return predicted.after
    require_ground(action.name, mutation.reference, predicted.before, grounds)
    change = _change(action, grounds, mutation.reference, predicted)
    action.patience.check()
    grounds.ledger.intend(change)
    answer = action.ask(predicted.call)
    after = mutation.settled() if mutation.settled else mutation.after(predicted.before, answer)
    _note(action, change, predicted.before, after)
    return after


def read_or_none(action: Action, reference: Reference, may_be_absent: bool) -> Object | None:
    """The object; None if it may be absent and is.

    Raises:
        AtomError: KUB011 it is not there and has to be; KUB001 to KUB017.
    """
    try:
        return action.read(reference)
    except AtomError as error:
        if may_be_absent and error.code is codes.NOT_FOUND:
            return None
        raise


def version_of(before: Object | None) -> Object:
    """The part of a request that makes it hold only for the state that was read."""
    version = mapping(before or {}, "metadata").get("resourceVersion")
    return {"resourceVersion": version} if version else {}


def _change(action: Action, grounds: Grounds, reference: Reference, predicted: Prediction) -> ObjectChange:
    before, after = predicted.before, predicted.after
    secret = reference.kind == SECRET
    return ObjectChange(
        step=grounds.owner.rpartition("/")[2],
        action=action.name,
        kind=reference.kind.name,
        api_version=reference.kind.api_version,
        namespace=reference.namespace,
        name=reference.name,
        before_digest=state_digest(before) if before is not None else None,
        after_digest=state_digest(after) if after is not None and not secret else None,
        kept=not secret,
        before=before,
        after=None if secret else after,
    )


def _note(action: Action, change: ObjectChange, before: Object | None, after: Object | None) -> None:
    digest = state_digest(after) if after is not None else None
    kept = None if after is None or is_secret(after) else after
    action.changes.append(dataclasses.replace(change, after_digest=digest, after=kept))
    if change.kept:
        for difference in differences(before, after):
            action.say(f"{change.words}: {difference.path or 'it'}: {difference.before} -> {difference.after}")
    else:
        action.say(f"{change.words}: written; its values are not shown")
