"""Beginning an epoch: what a restore does to the logs before anything else is recorded in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from atomctl.audit.batch import apply_growth, head_of
from atomctl.audit.chain import Epoch
from atomctl.audit.checkpoint import Checkpoint, parse_checkpoint
from atomctl.audit.codes import BAD_NOTE, FORKED, HEAD_MOVED, NO_ENTRY
from atomctl.audit.growth import Head, Recorded, advance
from atomctl.audit.merkle import CompactRange, subtree_root
from atomctl.audit.model import DEPLOYMENT, entry_bytes
from atomctl.audit.names import LogName
from atomctl.audit.sequencer import lead_once
from atomctl.audit.stored import stored_subtrees
from atomctl.db import queries
from atomctl.db.ids import new_id
from atomctl.db.session import Connection
from atomctl.errors import AtomError

_sql: Any = queries.load(__file__)


def begin_epoch(
    connection: Connection,
    reason: str,
    last_anchor: bytes | None,
    *,
    anchored_sizes: Mapping[UUID, int] | None = None,
) -> int:
    """Every log goes on under a new name afterwards, whose first entry says what it follows; the epoch's number.

    One transaction: all logs or none. Entries that waited in the inbox of the backup come behind. Not idempotent: each
    call is an epoch. The sequencer signs the new heads when it runs next.

    Args:
        connection: of the role `atom_sequencer`, in autocommit mode, while no sequencer runs.
        reason: why, in one sentence, such as the backup that was restored.
        last_anchor: the newest anchored checkpoint of the deployment's log, from the bucket; None where there is none.
        anchored_sizes: how large tenants' logs are known to have been under that anchor.

    Raises:
        AtomError: AUD718 a sequencer runs; AUD713 the database holds no log; AUD717 the anchor is not a checkpoint of
            this deployment; AUD707 the restored log contradicts the anchor: it is another history.
    """
    anchor = parse_checkpoint(last_anchor)[0] if last_anchor is not None else None
    with lead_once(connection), connection.transaction():
        rows = list(_sql.lock_heads(connection))
        if not rows:
            raise AtomError(NO_ENTRY, "the database holds no audit log that could go on")
        heads = {row["tenant_id"]: head_of(row) for row in rows}
        own = _own_head(heads)
        number = _next_epoch(own, anchor)
        _compare(connection, own, anchor)
        sizes = {**(anchored_sizes or {}), **({DEPLOYMENT: anchor.size} if anchor else {})}
        for head in {**heads, DEPLOYMENT: own}.values():
            epoch = Epoch(
                origin=str(LogName.parse(head.origin).in_epoch(number)),
                previous=head.origin,
                first=head.tree.size,
                root=head.tree.root,
                reason=reason,
                anchor=last_anchor.decode() if last_anchor is not None else None,
                anchored_size=sizes.get(head.tenant_id),
            )
            _go_on(connection, head, epoch)
    return number


def _own_head(heads: Mapping[UUID, Head]) -> Head:
    """The head of the deployment's log, which may have no entry yet."""
    if DEPLOYMENT in heads:
        return heads[DEPLOYMENT]
    name = LogName.parse(next(iter(heads.values())).origin)
    return Head(DEPLOYMENT, str(name.of(DEPLOYMENT)), CompactRange())


def _next_epoch(own: Head, anchor: Checkpoint | None) -> int:
    name = LogName.parse(own.origin)
    if anchor is None:
        return name.epoch + 1
    anchored = LogName.parse(anchor.origin)
    if (anchored.base, anchored.tenant_id) != (name.base, DEPLOYMENT):
        raise AtomError(BAD_NOTE, f"the anchor is of {anchor.origin}, the database of {own.origin}")
    return max(name.epoch, anchored.epoch) + 1


def _compare(connection: Connection, own: Head, anchor: Checkpoint | None) -> None:
    """What was restored must begin as the anchored log did, as far as both reach."""
    if anchor is None or anchor.size > own.tree.size or LogName.parse(own.origin) != LogName.parse(anchor.origin):
        return
    try:
        root = subtree_root(0, anchor.size, stored_subtrees(connection, DEPLOYMENT))
    except LookupError as error:
        raise AtomError(FORKED, f"the restored tree is incomplete: {error}") from error
    if root != anchor.root:
        raise AtomError(FORKED, f"at {anchor.size} entries the anchor says {anchor.root.hex()}, not {root.hex()}")


def _go_on(connection: Connection, head: Head, epoch: Epoch) -> None:
    """The log `head` belongs to has its new name, and the epoch's entry as its next one."""
    entry, entry_id = epoch.to_entry(), new_id()
    data = entry_bytes(entry, entry_id=entry_id, tenant_id=head.tenant_id, commitments={})
    if head.tree.size and not _sql.rename_head(
        connection, origin=epoch.origin, tenant_id=head.tenant_id, size=head.tree.size, root=head.tree.root
    ):
        raise AtomError(HEAD_MOVED, f"the head of {head.origin} is no longer at {head.tree.size} entries")
    renamed = Head(head.tenant_id, epoch.origin, head.tree, head.sequenced_at)
    recorded = Recorded(entry_id, None, entry.subject, data)
    apply_growth(connection, advance(renamed, [recorded], _sql.clock(connection)))
