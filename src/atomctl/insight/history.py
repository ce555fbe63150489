"""What the detectors look at: how runs ended, oldest first. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that ended: when (UTC), whether it failed, and for how many seconds it ran; None if it never started."""

    run_id: UUID
    workflow: str
    ended_at: datetime
    failed: bool
    seconds: float | None


def usable(seconds: float | None) -> bool:
    """Whether it is a duration at all: a clock that was set back leaves negative ones, and a gap leaves none."""
    return seconds is not None and math.isfinite(seconds) and seconds >= 0.0
