"""Epochs: how a log goes on after a restore, and how a verifier follows it from name to name. Pure.

A restored database ends earlier than what was signed before. Going on under the same name would give two signed trees
of one size. So the log gets a new name, and the first entry under it says which name came before, at which size the
restored part ends, and which anchored checkpoint is the last that is known of what was lost. The restored entries keep
their places: the tree goes on, and every proof of an entry that survived still holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from atomctl.audit.leaf import entry_of, place_of
from atomctl.audit.model import Entry
from atomctl.canonical import Json

ACTION = "audit.epoch"
_MARK = ACTION.encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What the first entry of an epoch says.

    Attributes:
        origin: the log's name from here on.
        previous: its name before.
        first: the index of this entry, which is the size of what was restored.
        root: the root of the restored tree.
        reason: why it was restored, in one sentence.
        anchor: the signed checkpoint of the deployment's log that was anchored last; None if none was.
        anchored_size: the size this very log had under that anchor; None if nobody knows.
    """

    origin: str
    previous: str
    first: int
    root: bytes
    reason: str
    anchor: str | None
    anchored_size: int | None

    @property
    def lost(self) -> int | None:
        """How many anchored entries the restored log does not have; None if nobody knows."""
        return None if self.anchored_size is None else max(0, self.anchored_size - self.first)

    def to_entry(self) -> Entry:
        """The entry that begins the epoch."""
        detail: dict[str, Json] = {
            "origin": self.origin,
            "previous": {"origin": self.previous, "size": self.first, "root": self.root.hex()},
            "anchor": self.anchor,
            "anchored_size": self.anchored_size,
            "lost": self.lost,
        }
        return Entry(action=ACTION, subject=f"log/{self.origin}", why=self.reason, detail=detail)


def epoch_of(leaf: bytes) -> Epoch | None:
    """The epoch that the leaf begins; None for any other leaf."""
    if _MARK not in leaf:
        return None
    try:
        entry, place = entry_of(leaf), place_of(leaf)
        detail = entry["detail"]
        if entry["action"] != ACTION or place is None or not isinstance(detail, dict):
            return None
        previous, anchored = detail["previous"], detail["anchored_size"]
        if not isinstance(previous, dict):
            return None
        return Epoch(
            origin=str(detail["origin"]),
            previous=str(previous["origin"]),
            first=place.at,
            root=bytes.fromhex(str(previous["root"])),
            reason=str(entry.get("why", "")),
            anchor=str(detail["anchor"]) if detail["anchor"] is not None else None,
            anchored_size=anchored if isinstance(anchored, int) else None,
        )
    except (ValueError, KeyError):
        return None


class EpochWatch:
    """Passes leaves on and keeps the epochs that begin among them."""

    def __init__(self) -> None:
        self.seen: list[Epoch] = []

    def items(self, leaves: Iterable[tuple[bytes, bytes | None]]) -> Iterator[tuple[bytes, bytes | None]]:
        """Each of `leaves`, unchanged."""
        for leaf in leaves:
            # The call is made for the few that may be one: half a million leaves a second pass here.
            if _MARK in leaf[0] and (epoch := epoch_of(leaf[0])) is not None:
                self.seen.append(epoch)
            yield leaf


class Chain:
    """The names one log has had, up to the one it is signed under now.

    Args:
        seen: the epochs that begin in the log, in order.
        origin: the name of the newest checkpoint.
    """

    def __init__(self, seen: Sequence[Epoch], origin: str) -> None:
        self.origin = origin
        self.epochs: tuple[Epoch, ...] = ()
        for epoch in reversed(seen):
            if epoch.origin == (self.epochs[0].previous if self.epochs else origin):
                self.epochs = (epoch, *self.epochs)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name, the oldest first."""
        first = self.epochs[0].previous if self.epochs else self.origin
        return (first, *(epoch.origin for epoch in self.epochs))

    def name_at(self, size: int) -> str:
        """The name under which the log signs when it has `size` entries."""
        for epoch in self.epochs:
            if size <= epoch.first:
                return epoch.previous
        return self.origin

    def end_of(self, name: str) -> Epoch | None:
        """The epoch that ended the log's time under `name`; None if it still has it, or never had."""
        return next((epoch for epoch in self.epochs if epoch.previous == name), None)
