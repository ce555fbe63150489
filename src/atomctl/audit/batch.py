"""One batch: rows leave the inbox, become leaves, and the head moves, in one transaction."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from uuid import UUID

from atomctl.audit.codes import HEAD_MOVED
from atomctl.audit.growth import Growth, Head, Recorded, advance, pack_nodes, unpack_tree
from atomctl.audit.merkle import CompactRange
from atomctl.audit.tiles import HASH, TilePiece
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Moved:
    """What a batch did: how many entries, and how long the oldest of them had waited."""

    entries: int
    lag: datetime.timedelta


def move_batch(connection: Connection, origin_of: Callable[[UUID], str], limit: int) -> Moved:
    """Moves at most `limit` rows from `audit_inbox` into the trees of their tenants, all or none.

    Args:
        connection: the one that holds the sequencer's lock, in autocommit mode.
        origin_of: the name of a log that begins now.
        limit: rows at most.

    Raises:
        AtomError: AUD716 a head or tile is not as it was left; everything was rolled back.
    """
    with connection.transaction():
        rows = list(_sql.take_batch(connection, limit=limit))
        if not rows:
            return Moved(0, datetime.timedelta())
        now = rows[0]["now"]
        growths = list(_growths(connection, rows, now, origin_of))
        for growth in growths:
            apply_growth(connection, growth)
    return Moved(len(rows), now - min(row["recorded_at"] for row in rows))


def apply_growth(connection: Connection, growth: Growth) -> None:
    """The log has grown by `growth` when the caller's transaction is committed.

    Raises:
        AtomError: AUD716 the head or a tile is not as it was left.
    """
    _insert_entries(connection, growth)
    _write_tiles(connection, growth)
    _move_head(connection, growth)


def _growths(
    connection: Connection, rows: list[dict[str, Any]], now: datetime.datetime, origin_of: Callable[[UUID], str]
) -> Iterator[Growth]:
    tenants = {row["tenant_id"] for row in rows}
    heads = {row["tenant_id"]: head_of(row) for row in _sql.heads_of(connection, tenants=list(tenants))}
    for tenant, group in groupby(rows, key=lambda row: row["tenant_id"]):
        head = heads.get(tenant) or Head(tenant, origin_of(tenant), CompactRange())
        entries = [Recorded(row["entry_id"], row["run_id"], row["subject"], row["data"]) for row in group]
        yield advance(head, entries, now)


def head_of(row: dict[str, Any]) -> Head:
    """The head in a row.

    Raises:
        AtomError: AUD716 its subtrees do not fit its size.
    """
    try:
        tree = unpack_tree(row["size"], row["nodes"])
    except ValueError as error:
        raise AtomError(HEAD_MOVED, f"the head of {row['origin']} is damaged: {error}") from error
    return Head(row["tenant_id"], row["origin"], tree, row["sequenced_at"])


def _insert_entries(connection: Connection, growth: Growth) -> None:
    # One statement with arrays: COPY, which would be as fast, is refused on tables with row level security.
    rows = [item.recorded for item in growth.placed]
    inserted = _sql.insert_entries(
        connection,
        tenant_id=growth.new.tenant_id,
        first_index=growth.old.tree.size,
        sequenced_at=growth.new.sequenced_at,
        entry_ids=[row.entry_id for row in rows],
        run_ids=[row.run_id for row in rows],
        subjects=[row.subject for row in rows],
        leaves=[item.leaf for item in growth.placed],
    )
    if inserted != len(rows):
        raise AtomError(HEAD_MOVED, f"{growth.new.origin} has entries beyond its head of {growth.old.tree.size}")


def _write_tiles(connection: Connection, growth: Growth) -> None:
    for piece in growth.pieces:
        if not _write_piece(connection, growth.new.tenant_id, piece):
            raise AtomError(HEAD_MOVED, f"tile {piece.level}/{piece.tile} of {growth.new.origin} is not as it was left")


def _write_piece(connection: Connection, tenant_id: UUID, piece: TilePiece) -> bool:
    place = {"tenant_id": tenant_id, "level": piece.level, "tile": piece.tile, "hashes": piece.hashes}
    if piece.offset == 0:
        return bool(_sql.insert_tile(connection, **place))
    return bool(_sql.extend_tile(connection, **place, length=piece.offset * HASH))


def _move_head(connection: Connection, growth: Growth) -> None:
    old, new = growth.old.tree, growth.new
    values = {
        "tenant_id": new.tenant_id,
        "size": new.tree.size,
        "root": new.tree.root,
        "nodes": pack_nodes(new.tree),
        "sequenced_at": new.sequenced_at,
    }
    if old.size == 0:
        moved = _sql.insert_head(connection, origin=new.origin, **values)
    else:
        moved = _sql.move_head(connection, old_size=old.size, old_root=old.root, **values)
    if not moved:
        raise AtomError(HEAD_MOVED, f"the head of {new.origin} is no longer at {old.size} entries")
