"""How a tree grows by a batch of entries: which leaf each becomes, what the tiles gain, and the new head. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from atomctl.audit.leaf import leaf_bytes, time_text
from atomctl.audit.merkle import CompactRange, leaf_hash
from atomctl.audit.tiles import HASH, TilePiece, grow


@dataclass(frozen=True, slots=True)
class Head:
    """The right edge of one tenant's tree.

    Attributes:
        tenant_id: whose tree.
        origin: the name it is signed under.
        tree: size and subtrees.
        sequenced_at: the time of the last entry; None while there is none.
    """

    tenant_id: UUID
    origin: str
    tree: CompactRange
    sequenced_at: datetime.datetime | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row of the inbox."""

    entry_id: UUID
    run_id: UUID | None
    subject: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Placed:
    """A row of the log."""

    index: int
    recorded: Recorded
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Growth:
    """What one batch does to one tree."""

    old: Head
    new: Head
    placed: tuple[Placed, ...]
    pieces: tuple[TilePiece, ...]


def advance(head: Head, rows: Sequence[Recorded], now: datetime.datetime) -> Growth:
    """The growth of `head` by `rows`, in their order.

    All rows get one time: `now`, or the time of the entry before them if a clock was set back, so that time never runs
    backwards inside a log.
    """
    moment = max(now, head.sequenced_at) if head.sequenced_at else now
    written = time_text(moment)
    placed = tuple(
        Placed(index, row, leaf_bytes(row.data, index, written)) for index, row in enumerate(rows, head.tree.size)
    )
    tree, pieces = grow(head.tree, (leaf_hash(item.leaf) for item in placed))
    return Growth(head, Head(head.tenant_id, head.origin, tree, moment), placed, pieces)


def pack_nodes(tree: CompactRange) -> bytes:
    """The subtrees as they lie in a row: 32 bytes each, the largest first."""
    return b"".join(tree.nodes)


def unpack_tree(size: int, nodes: bytes) -> CompactRange:
    """The tree in a row.

    Raises:
        ValueError: the subtrees do not fit the size.
    """
    return CompactRange(size, tuple(nodes[at : at + HASH] for at in range(0, len(nodes), HASH)))
