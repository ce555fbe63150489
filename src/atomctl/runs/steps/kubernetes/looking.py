"""Waiting by looking again and again. An API server that is away meanwhile costs looks, not the step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from atomctl.errors import AtomError
from atomctl.runs.steps.kubernetes.action import Action

_PAUSES: Final = (0.3, 0.5, 1.0, 1.5, 2.0)
"""Seconds between looks; the last one repeats."""


def look_until(action: Action, what: str, look: Callable[[], str | None]) -> str | None:
    """None as soon as `look` says None: nothing is missing; else what was missing when patience ended.

    Raises:
        AtomError: what `look` raises, unless it may pass and there is patience left.
        GivenUpError: it was cancelled.
    """
    said: str | None = None
    looks = 0
    while True:
        missing = _one(action, look)
        if missing is None:
            return None
        if missing != said:
            action.say(f"{what}: {missing}")
            said = missing
        if action.patience.over:
            return missing
        action.patience.pause(_PAUSES[min(looks, len(_PAUSES) - 1)])
        looks += 1


def _one(action: Action, look: Callable[[], str | None]) -> str | None:
    try:
        return look()
    except AtomError as error:
        if not error.code.retryable or action.patience.over:
            raise
        return f"{error.code.id}: {error.why}"
