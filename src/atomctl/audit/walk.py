"""Walking a log's leaves in the order they are given: what is wrong with their bytes, places and times. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from atomctl.audit import codes
from atomctl.audit.leaf import Place, place_of
from atomctl.audit.merkle import leaf_hash
from atomctl.audit.verdict import FINDINGS_AT_MOST, Finding
from atomctl.errors import Code

_FIRST_TIME = ""


class Walk:
    """One pass over the leaves of one log; `findings` grows while it goes.

    Memory is bounded by the number of findings kept, not by the length of the log.
    """

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.seen = 0
        self._next = 0
        self._time = _FIRST_TIME
        self._gaps: list[range] = []

    def leaves(self, items: Iterable[tuple[bytes, bytes | None]]) -> Iterator[bytes]:
        """Passes on the leaf hash of each item.

        Args:
            items: a leaf's bytes, and the leaf hash that somebody claims for it; None where nobody does.
        """
        for data, claimed in items:
            self.seen += 1
            leaf = leaf_hash(data)
            place = place_of(data)
            if place is None or leaf != claimed:
                # Bytes that are not what they were say nothing about their place.
                self._find(codes.CHANGED, f"entry {self._next} is not what its leaf hash says", self._next)
                self._next += 1
            elif place.at == self._next and place.time >= self._time:
                self._next += 1
                self._time = place.time
            else:
                self._misplaced(place)
            yield leaf

    def _misplaced(self, place: Place) -> None:
        index = place.at
        if index > self._next:
            self._skip(index)
        elif index < self._next and not self._fill(index):
            self._find(codes.DUPLICATED, f"there are two entries {index}", index)
        elif index < self._next:
            self._find(codes.REORDERED, f"entry {index} stands behind entry {self._next - 1}", index)
        else:
            self._find(codes.BACKDATED, f"entry {index} says {place.time}, the one before it {self._time}", index)
            self._next += 1
            return
        # Only neighbours can be compared by time.
        self._time = place.time

    def _skip(self, index: int) -> None:
        if len(self._gaps) < FINDINGS_AT_MOST:
            self._gaps.append(range(self._next, index))
        self._next = index + 1

    def _fill(self, index: int) -> bool:
        """Whether `index` was skipped before; it is no longer missing then."""
        for at, gap in enumerate(self._gaps):
            if index in gap:
                parts = (range(gap.start, index), range(index + 1, gap.stop))
                self._gaps[at : at + 1] = [part for part in parts if part]
                return True
        return False

    def finish(self, size: int) -> None:
        """Says what is missing, now that a log of `size` entries should have been seen."""
        for gap in self._gaps:
            last = f" to {gap.stop - 1}" if len(gap) > 1 else ""
            self._find(codes.MISSING, f"entry {gap.start}{last} is not there", gap.start)
        if self._next < size:
            self._find(
                codes.TRUNCATED, f"the log ends after {self._next} entries, its checkpoint covers {size}", self._next
            )
        elif self._next > size:
            self._find(codes.CHANGED, f"there are {self._next} entries, the checkpoint covers {size}", size)

    def _find(self, code: Code, why: str, index: int) -> None:
        if len(self.findings) < FINDINGS_AT_MOST:
            self.findings.append(Finding(code, why, index))
