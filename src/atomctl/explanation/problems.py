"""What an error code says beyond this occurrence. Pure."""

from __future__ import annotations

from atomctl.explanation.known_codes import all_codes
from atomctl.explanation.model import Problem
from atomctl.explanation.visible import visible

_LONGEST = 500


def problem_of(code: str | None, why: str | None) -> Problem | None:
    """The problem with the meaning and the remedy of its code; None if neither code nor reason is recorded.

    A code of another version of the program, which this one does not know, keeps its reason alone.
    """
    if code is None and not why:
        return None
    known = all_codes().get(code or "")
    said = visible(why or "", _LONGEST)
    if known is None:
        return Problem(said or f"{code}, which this version does not know", code)
    return Problem(said or known.title, known.id, known.title, known.meaning, known.hint)
