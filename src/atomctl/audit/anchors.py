"""Carrying the deployment's checkpoints to the locked bucket, with every tile they need."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import psycopg

from atomctl.audit.anchor import checkpoint_key, newest_anchor, tile_key
from atomctl.audit.checkpoint import Checkpoint, parse_checkpoint
from atomctl.audit.codes import BEHIND, FORKED
from atomctl.audit.export import pages_of_log
from atomctl.audit.merkle import PerfectSubtree, subtree_root
from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.names import LogName
from atomctl.audit.stored import stored_subtrees
from atomctl.audit.tiles import HASH, WIDTH, entries_path, entry_bundle, tile_path
from atomctl.db import queries
from atomctl.db.connections import SESSION, connect
from atomctl.db.session import Connection
from atomctl.errors import AtomError
from atomctl.objects.locking import LockedStore
from atomctl.telemetry import catalog, metrics
from atomctl.telemetry.logs import get_logger

LOCK = int.from_bytes(b"ATOM_ANC", "big")
"""The advisory lock of the one that anchors; the others stand by."""

_LONGEST_PAUSE = timedelta(seconds=30)
_log = get_logger(__name__)
_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchorPace:
    """When a checkpoint is carried; never while nothing changed.

    Attributes:
        every: the time after the one before.
        records: entries of all logs that do not wait so long.
        look: the time between two looks.
    """

    every: timedelta = timedelta(seconds=60)
    records: int = 10_000
    look: timedelta = timedelta(seconds=1)


class Anchorer:
    """Keeps the bucket up with the log; an outage of the bucket is made up for by one later checkpoint.

    Args:
        dsn: how to reach the database as `atom_sequencer`.
        store: the locked bucket.
        retention: how long each object is locked.
        pace: when a checkpoint is carried.
    """

    def __init__(
        self,
        dsn: str,
        store: LockedStore,
        retention: timedelta,
        pace: AnchorPace = AnchorPace(),
    ) -> None:
        self._dsn = dsn
        self._store = store
        self._retention = retention
        self._pace = pace

    def run(self, stop: threading.Event) -> None:
        """Anchors or stands by until `stop` is set; database and bucket are waited for."""
        pause = self._pace.look
        while not stop.is_set():
            try:
                with self._session() as connection:
                    while not stop.is_set() and not _sql.try_lead(connection, key=LOCK):
                        stop.wait(self._pace.look.total_seconds())
                    while not stop.is_set():
                        self.look(connection)
                        pause = self._pace.look
                        stop.wait(pause.total_seconds())
            except (psycopg.Error, AtomError) as error:
                _log.warning("audit.not_anchored", error=str(error), again_in=pause.total_seconds())
                stop.wait(pause.total_seconds())
                pause = min(pause * 2, _LONGEST_PAUSE)

    def anchor_now(self) -> Checkpoint | None:
        """Carries the newest checkpoint if it is not there yet, whatever the pace; what was carried.

        Raises:
            AtomError: as `anchor`; DBA001 nothing answers.
        """
        with self._session() as connection:
            return anchor(connection, self._store, self._retention)

    def look(self, connection: Connection) -> None:
        """Carries the newest checkpoint if it is due, and tells the metrics how old what is not anchored is.

        Raises:
            AtomError: as `anchor`.
        """
        row = _sql.last_checkpoint(connection, tenant_id=DEPLOYMENT)
        if row is None:
            return
        now: datetime.datetime = _sql.clock(connection)
        last = _sql.last_anchor(connection, tenant_id=DEPLOYMENT, origin=_origin(row))
        oldest = _sql.oldest_unanchored(connection, tenant_id=DEPLOYMENT, size=last["size"] if last else 0)
        metrics.set_to(catalog.AUDIT_ANCHOR_AGE, max(0.0, (now - oldest).total_seconds()) if oldest else 0.0)
        if oldest is not None and (last is None or self._is_due(connection, last, now)):
            carried = anchor(connection, self._store, self._retention)
            metrics.set_to(catalog.AUDIT_ANCHOR_AGE, 0.0)
            _log.info("audit.anchored", size=carried.size if carried else 0)

    def _is_due(self, connection: Connection, last: dict[str, Any], now: datetime.datetime) -> bool:
        if now - last["anchored_at"] >= self._pace.every:
            return True
        return int(_sql.entries_in_all_logs(connection)) - int(last["entries"]) >= self._pace.records

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        connection = connect(self._dsn, options=SESSION, application_name="atomctl anchors")
        try:
            yield connection
        finally:
            connection.close()


def anchor(connection: Connection, store: LockedStore, retention: timedelta) -> Checkpoint | None:
    """The newest signed checkpoint of the deployment's log lies in `store` afterwards, and all tiles below it.

    The checkpoint is written last, so what a checkpoint in the bucket needs is there too. A repeat writes nothing new.

    Args:
        connection: of the role `atom_sequencer`, in autocommit mode.
        store: the locked bucket.
        retention: how long each object is locked from now on.

    Returns:
        What was carried; None if it was there already or nothing is signed yet.

    Raises:
        AtomError: AUD719 the bucket holds a later checkpoint than the database; AUD707 the database holds another
            history than the bucket; OBJ codes the bucket cannot be used.
    """
    row = _sql.last_checkpoint(connection, tenant_id=DEPLOYMENT)
    if row is None:
        return None
    point, _ = parse_checkpoint(bytes(row["note"]))
    name = LogName.parse(point.origin)
    last = _sql.last_anchor(connection, tenant_id=DEPLOYMENT, origin=point.origin)
    if last is not None and last["size"] == point.size:
        return None
    entries = int(_sql.entries_in_all_logs(connection))
    tree = stored_subtrees(connection, DEPLOYMENT)
    _require_same_history(store, name, point, tree)

    until: datetime.datetime = _sql.clock(connection) + retention
    for path, data in _pieces(connection, last["size"] if last else 0, point.size):
        store.put_locked(tile_key(name, path), data, until)
    key = checkpoint_key(name, point.size)
    store.put_locked(key, bytes(row["note"]), until)
    _sql.insert_anchor(
        connection,
        tenant_id=DEPLOYMENT,
        size=point.size,
        root=point.root,
        origin=point.origin,
        entries=entries,
        object_key=key,
        retain_until=until,
    )
    return point


def _require_same_history(store: LockedStore, name: LogName, point: Checkpoint, tree: PerfectSubtree) -> None:
    """Returns if the tree leads to `point`, and to the newest checkpoint in the bucket."""
    _require_root(tree, point, "the signed checkpoint")
    newest = newest_anchor(store, name.base)
    if newest is None or newest.epoch < name.epoch:
        return
    if newest.epoch > name.epoch or newest.checkpoint.size > point.size:
        there = f"{newest.checkpoint.origin} at {newest.checkpoint.size} entries"
        raise AtomError(BEHIND, f"the bucket holds {there}, the database {point.origin} at {point.size}")
    _require_root(tree, newest.checkpoint, newest.key)


def _require_root(tree: PerfectSubtree, point: Checkpoint, what: str) -> None:
    try:
        root = subtree_root(0, point.size, tree)
    except LookupError as error:
        raise AtomError(FORKED, f"the stored tree is incomplete: {error}") from error
    if root != point.root:
        raise AtomError(FORKED, f"{what} says {point.root.hex()} at {point.size} entries, the database {root.hex()}")


def _pieces(connection: Connection, done: int, size: int) -> Iterator[tuple[str, bytes]]:
    """What the tree of `size` entries has and that of `done` entries had not: full tiles, their entries, the edge."""
    level = 0
    while size >> (8 * level) >= WIDTH:
        for tile in range(done >> (8 * (level + 1)), size >> (8 * (level + 1))):
            yield tile_path(level, tile), _hashes(connection, level, tile, WIDTH)
            if level == 0:
                rows = pages_of_log(connection, DEPLOYMENT, (tile + 1) * WIDTH, first=tile * WIDTH)
                yield entries_path(tile), entry_bundle(bytes(row["data"]) for row in rows)
        level += 1
    tile, width = divmod(size, WIDTH)
    if width:
        yield tile_path(0, tile, width), _hashes(connection, 0, tile, width)


def _hashes(connection: Connection, level: int, tile: int, width: int) -> bytes:
    row = _sql.tile(connection, tenant_id=DEPLOYMENT, level=level, tile=tile)
    hashes = bytes(row["hashes"])[: width * HASH] if row else b""
    if len(hashes) != width * HASH:
        raise AtomError(FORKED, f"{tile_path(level, tile)} has {len(hashes) // HASH} of {width} hashes")
    return hashes


def _origin(row: dict[str, Any]) -> str:
    return parse_checkpoint(bytes(row["note"]))[0].origin
