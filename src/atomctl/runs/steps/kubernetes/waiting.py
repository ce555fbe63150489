"""wait: until objects have a condition, or are gone."""

from __future__ import annotations

from atomctl.errors import AtomError
from atomctl.kubernetes import codes
from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.pods import name_of
from atomctl.runs.steps import codes as step_codes
from atomctl.runs.steps.kubernetes.action import Action
from atomctl.runs.steps.kubernetes.conditions import condition_of, holds, words_of
from atomctl.runs.steps.kubernetes.looking import look_until

_ENDS = {"complete": "Failed", "failed": "Complete", "successcriteriamet": "Failed"}
"""Of a Job: what makes waiting for the other in vain."""


def wait(action: Action) -> None:
    """Every object that is meant has the condition; with `deleted`, none is there any more.

    Raises:
        AtomError: KUB021 not within the timeout, KUB022 a Job ended the other way.
    """
    condition = action.text("condition")
    if condition is None:
        raise AtomError(step_codes.BAD_CONFIG, "wait needs a condition")
    kind = action.kind()

    def look() -> str | None:
        found = _found(action)
        if condition == "deleted":
            return f"{len(found)} still there: {', '.join(map(name_of, found[:5]))}" if found else None
        return _first_missing(kind.name, found, condition)

    what = f"{kind.name} {action.text('name') or action.text('selector')}"
    missing = look_until(action, what, look)
    if missing is not None:
        raise AtomError(codes.NOT_IN_TIME, f"{what}: {missing}")
    action.say(f"{what}: {condition}")


def _first_missing(kind: str, found: list[Object], condition: str) -> str | None:
    if not found:
        return "it is not there yet"
    for item in found:
        other = _ENDS.get(condition.lower()) if kind == "Job" else None
        if other and holds(item, other):
            why = f"Job {name_of(item)} is {other}: {words_of(condition_of(item, other))}"
            raise AtomError(codes.JOB_FAILED, why)
        if not holds(item, condition):
            now = condition_of(item, condition)
            return f"{name_of(item)} is not {condition}" + (f": {words_of(now)}" if now else "")
    return None


def _found(action: Action) -> list[Object]:
    kind = action.kind()
    if action.text("name") is None:
        return action.selected(kind)
    try:
        return [action.read(action.references(kind)[0])]
    except AtomError as error:
        if error.code is codes.NOT_FOUND:
            return []
        raise
