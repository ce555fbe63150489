"""What this worker is executing now, and how it is told to stop: cancelled, fenced off, or shut down."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from atomctl.db import queries
from atomctl.db.session import Sessions
from atomctl.runs.model import Claim, SegmentKey
from atomctl.runs.steps.model import Halt

_sql = queries.load(__file__)


class Interruption(enum.StrEnum):
    """Why a running step is being stopped."""

    CANCEL = "cancel"
    FENCED = "fenced"
    SHUTDOWN = "shutdown"


@dataclass(slots=True)
class LiveSegment:
    """One segment in execution: `interrupted` is set once, and `reason` says why.

    `tick` is called now and then from another thread while a step runs.
    """

    claim: Claim
    tick: Callable[[], None] | None = None
    interrupted: Halt = field(default_factory=Halt)
    reason: Interruption | None = None

    def interrupt(self, reason: Interruption) -> None:
        """The running step is stopped; being fenced off outranks every other reason."""
        if self.reason is None or reason is Interruption.FENCED:
            self.reason = reason
        self.interrupted.leave = self.reason is not Interruption.CANCEL
        self.interrupted.set()


class LiveSegments:
    """The segments this process is executing; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._segments: dict[tuple[SegmentKey, int], LiveSegment] = {}

    @contextmanager
    def track(self, claim: Claim) -> Iterator[LiveSegment]:
        """While inside, the segment is known to be in execution here."""
        live, place = LiveSegment(claim), (claim.segment, claim.token)
        with self._lock:
            self._segments[place] = live
        try:
            yield live
        finally:
            with self._lock:
                del self._segments[place]

    def snapshot(self) -> list[LiveSegment]:
        """What is in execution now."""
        with self._lock:
            return list(self._segments.values())

    def executing(self, engine_id: str) -> bool:
        """Whether the segment of this engine id is in execution here."""
        return any(live.claim.segment.engine_id == engine_id for live in self.snapshot())

    def interrupt_all(self, reason: Interruption) -> None:
        """Every running step is stopped."""
        for live in self.snapshot():
            live.interrupt(reason)


def look(sessions: Sessions, segments: LiveSegments) -> int:
    """Interrupts the segments whose run is being cancelled or that belong to another worker now; how many.

    One statement for all of them, whatever their tenants: it returns ids and reasons only.
    """
    live = segments.snapshot()
    if not live:
        return 0
    keys = [entry.claim.segment for entry in live]
    with sessions.deployment() as conn:
        rows = _sql.interrupted_segments(
            conn,
            tenants=[key.tenant_id for key in keys],
            runs=[key.run_id for key in keys],
            numbers=[key.number for key in keys],
            tokens=[entry.claim.token for entry in live],
        )
        reasons = {(row["run_id"], row["number"], row["token"]): Interruption(row["reason"]) for row in rows}
    for entry in live:
        key = entry.claim.segment
        if reason := reasons.get((key.run_id, key.number, entry.claim.token)):
            entry.interrupt(reason)
    return len(reasons)
