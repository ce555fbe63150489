"""What an error code says beyond this occurrence. Pure.

Hints are written with RUN and STEP where a name belongs; what is known of the occurrence is put in their place.
"""

from __future__ import annotations

import re
from uuid import UUID

from atomctl.explanation.known_codes import all_codes
from atomctl.explanation.model import Problem
from atomctl.explanation.visible import visible

_LONGEST = 500


def problem_of(code: str | None, why: str | None, *, run: UUID, step: str | None = None) -> Problem | None:
    """The problem with the meaning and the remedy of its code; None if neither code nor reason is recorded.

    A code of another version of the program, which this one does not know, keeps its reason alone.
    """
    if code is None and not why:
        return None
    known = all_codes().get(code or "")
    said = visible(why or "", _LONGEST)
    if known is None:
        return Problem(said or f"{code}, which this version does not know", code)
    return Problem(said or known.title, known.id, known.title, known.meaning, _named(known.hint, run, step))


def _named(hint: str, run: UUID, step: str | None) -> str:
    names = {"RUN": str(run), **({"STEP": step} if step else {})}
    return re.sub(r"\b(RUN|STEP)\b", lambda found: names.get(found[0], found[0]), hint)
