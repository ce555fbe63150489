"""What the live database shows under an anchor: whether its tree reaches it, and a tenant's checkpoint there."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from atomctl.audit import codes
from atomctl.audit.anchor import Anchor
from atomctl.audit.chain import Epoch, epoch_of
from atomctl.audit.checkpoint import Checkpoint, parse_checkpoint
from atomctl.audit.evidence import Evidence
from atomctl.audit.merkle import inclusion_proof, subtree_root
from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.names import LogName
from atomctl.audit.stored import stored_subtrees
from atomctl.audit.verdict import Finding
from atomctl.db import queries
from atomctl.db.session import Connection

_sql: Any = queries.load(__file__)


def gather(connection: Connection, tenant_id: UUID, anchor: Anchor) -> Evidence:
    """What the live database shows for a tenant under `anchor`.

    Args:
        connection: a transaction of the tenant `DEPLOYMENT`.
        tenant_id: whose checkpoint is looked for.
        anchor: the newest one.
    """
    finding, reached = _compare_trees(connection, anchor.checkpoint)
    if finding is not None or not reached:
        return Evidence(anchor, finding)
    subject = f"tenant/{tenant_id}"
    size = anchor.checkpoint.size
    rows = list(_sql.newest(connection, tenant_id=DEPLOYMENT, before=size, run_id=None, subject=subject, limit=1))
    if not rows:
        return Evidence(anchor)
    index = rows[0]["entry_index"]
    proof = inclusion_proof(index, size, stored_subtrees(connection, DEPLOYMENT))
    return Evidence(anchor, None, index, bytes(rows[0]["data"]), proof)


def _compare_trees(connection: Connection, anchor: Checkpoint) -> tuple[Finding | None, bool]:
    """What contradicts the anchor, and whether the live tree reaches it."""
    head = _sql.head(connection, tenant_id=DEPLOYMENT)
    if head is None:
        return Finding(codes.TRUNCATED, f"there is no log; {anchor.size} entries were anchored"), False
    end, acknowledged = head["size"], False
    if head["origin"] != anchor.origin:
        epoch = _epoch_after(connection, head["origin"], anchor.origin)
        if epoch is None:
            why = f"the log is signed as {head['origin']}, and no epoch leads there from the anchored {anchor.origin}"
            return Finding(codes.FORKED, why), False
        end, acknowledged = epoch.first, _acknowledges(epoch, anchor)
    if anchor.size > end:
        why = f"the log of {anchor.origin} ends after {end} entries, {anchor.size} were anchored"
        return None if acknowledged else Finding(codes.TRUNCATED, why, end), False
    try:
        root = subtree_root(0, anchor.size, stored_subtrees(connection, DEPLOYMENT))
    except LookupError as error:
        return Finding(codes.FORKED, f"the stored tree is incomplete: {error}"), False
    if root != anchor.root:
        why = f"the anchor says {anchor.root.hex()} at {anchor.size} entries of {anchor.origin}, this log {root.hex()}"
        return Finding(codes.FORKED, why, anchor.size), False
    return None, True


def _epoch_after(connection: Connection, live: str, anchored: str) -> Epoch | None:
    """The epoch that ended the log's time under the name `anchored`; None if no chain leads from there to `live`."""
    name = live
    while True:
        subject = f"log/{name}"
        rows = list(_sql.newest(connection, tenant_id=DEPLOYMENT, before=None, run_id=None, subject=subject, limit=1))
        epoch = epoch_of(bytes(rows[0]["data"])) if rows else None
        if epoch is None or epoch.origin != name or LogName.parse(epoch.previous).epoch >= LogName.parse(name).epoch:
            return None
        if epoch.previous == anchored:
            return epoch
        name = epoch.previous


def _acknowledges(epoch: Epoch, anchor: Checkpoint) -> bool:
    """Whether the restore knew of this anchor, and said in the log that it was lost."""
    if epoch.anchor is None:
        return False
    known = parse_checkpoint(epoch.anchor.encode())[0]
    return known.origin == anchor.origin and known.size >= anchor.size
