"""The roots a log had at some of its sizes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice

from atomctl.audit.merkle import CompactRange, extend


class Roots:
    """Follows leaf hashes once and keeps the root at each of `sizes` that is reached."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self._sizes = sorted(set(sizes))
        self._roots: dict[int, bytes] = {}
        self.tree = CompactRange()

    def follow(self, leaves: Iterator[bytes]) -> None:
        """Takes all of `leaves`; `tree` is what they amount to."""
        for size in self._sizes:
            self.tree = extend(self.tree, islice(leaves, size - self.tree.size))
            if self.tree.size == size:
                self._roots[size] = self.tree.root
        self.tree = extend(self.tree, leaves)

    def at(self, size: int) -> bytes | None:
        """The root the log had with `size` entries; None if it was not asked for or not reached."""
        return self._roots.get(size)
