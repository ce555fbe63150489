"""A reason somebody has to write down."""

from __future__ import annotations

from atomctl.errors import AtomError
from atomctl.registry import codes

SHORTEST, LONGEST = 5, 2000
"""Characters; shorter ones explain nothing to whoever reads the audit log later."""


def written(reason: str) -> str:
    """The reason without surrounding blanks.

    Raises:
        AtomError: REG415 it is too short or too long.
    """
    text = reason.strip()
    if not SHORTEST <= len(text) <= LONGEST:
        raise AtomError(codes.NO_REASON, f"the reason has {len(text)} characters, {SHORTEST} to {LONGEST} are expected")
    return text
