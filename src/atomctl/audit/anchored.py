"""Judging a tenant's log by the newest anchor. Connects to nothing but, where asked to, the bucket.

The anchor is a checkpoint of the deployment's log. What leads from it to a tenant is one leaf: the tenant's checkpoint
that was recorded last before. Whoever holds the anchor needs only that leaf and its inclusion proof, and then a log of
the tenant that begins with that checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from atomctl.audit import codes
from atomctl.audit.anchor import Anchor, require_signed
from atomctl.audit.checkpoint import Checkpoint
from atomctl.audit.evidence import Evidence
from atomctl.audit.leaf import entry_of
from atomctl.audit.merkle import leaf_hash, verify_consistency, verify_inclusion
from atomctl.audit.note import VerifierKey
from atomctl.audit.verdict import Finding
from atomctl.errors import AtomError
from atomctl.objects.locking import LockedStore


@dataclass(frozen=True, slots=True)
class Anchored:
    """What follows from the evidence: the tenant's own signed checkpoint under the anchor, or what is wrong."""

    checkpoint: bytes | None
    findings: tuple[Finding, ...] = ()


def judge(evidence: Evidence, tenant_id: UUID, trusted: Sequence[VerifierKey]) -> Anchored:
    """What the evidence proves to somebody who trusts the keys. Connects to nothing.

    Args:
        evidence: whose anchor came from the bucket.
        tenant_id: whose log is verified.
        trusted: the keys that may have signed the deployment's log.
    """
    anchor = evidence.anchor.checkpoint
    try:
        require_signed(evidence.anchor, tuple(trusted))
    except AtomError as error:
        return Anchored(None, (Finding(error.code, error.why),))
    if evidence.finding is not None:
        return Anchored(None, (evidence.finding,))
    if evidence.leaf is None:
        return Anchored(None)
    if not verify_inclusion(leaf_hash(evidence.leaf), evidence.index, anchor.size, evidence.proof, anchor.root):
        why = f"the checkpoint shown for the tenant is not under the anchor of {anchor.size} entries"
        return Anchored(None, (Finding(codes.FORKED, why, evidence.index),))
    note = _checkpoint_in(evidence.leaf, tenant_id)
    if note is None:
        return Anchored(None, (Finding(codes.CHANGED, f"entry {evidence.index} is no checkpoint of the tenant"),))
    return Anchored(note)


def _checkpoint_in(leaf: bytes, tenant_id: UUID) -> bytes | None:
    try:
        entry = entry_of(leaf)
    except ValueError:
        return None
    detail = entry.get("detail")
    if (entry.get("action"), entry.get("subject")) != ("audit.checkpoint", f"tenant/{tenant_id}"):
        return None
    note = detail.get("checkpoint") if isinstance(detail, dict) else None
    return note.encode() if isinstance(note, str) else None


def extension_finding(older: Checkpoint, newer: Checkpoint, proof: Sequence[bytes]) -> Finding | None:
    """What contradicts that the log of `newer` begins with the log of `older`; both are signed.

    Args:
        older: the tenant's checkpoint under the anchor.
        newer: the checkpoint that entries were verified under.
        proof: from the one to the other; empty if they have one size.
    """
    if older.size > newer.size:
        why = f"the log is signed at {newer.size} entries, {older.size} were anchored before"
        return Finding(codes.TRUNCATED, why, newer.size)
    if not verify_consistency(older.size, older.root, newer.size, newer.root, proof):
        why = f"the log of {newer.size} entries does not begin with the {older.size} that were anchored"
        return Finding(codes.FORKED, why, older.size)
    return None


def shown_finding(shown: Anchor | None, seen: Anchor | None, store: LockedStore) -> Finding | None:
    """What is wrong with the anchor a server shows, to somebody who reads the bucket too.

    Args:
        shown: what the server says is the newest one.
        seen: the newest one in the bucket, read before the server was asked.
        store: the bucket.
    """
    if seen is None and shown is None:
        return None
    if shown is None or (seen is not None and _rank(shown) < _rank(seen)):
        return Finding(codes.FORKED, f"the bucket holds the anchor {seen.key if seen else ''}, the server shows none")
    if shown.note != (seen.note if seen is not None and seen.key == shown.key else store.get(shown.key)):
        return Finding(codes.FORKED, f"the server shows another anchor than the bucket holds under {shown.key}")
    return None


def _rank(anchor: Anchor) -> tuple[int, int]:
    return anchor.epoch, anchor.checkpoint.size
