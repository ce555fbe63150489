"""Anchors in `atomctl audit verify`: the server is asked, the bucket read where it is known here, and all is judged."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from atomctl.client import Client
from atomctl.settings import Settings

if TYPE_CHECKING:
    from atomctl.audit.anchor import Anchor
    from atomctl.audit.evidence import Evidence
    from atomctl.audit.note import VerifierKey
    from atomctl.audit.verdict import AuditVerdict, Finding
    from atomctl.objects.locking import LockedStore


@dataclasses.dataclass(frozen=True, slots=True)
class Anchorage:
    """What is known about anchors before the log is fetched: the log must have grown from it."""

    evidence: Evidence | None
    finding: Finding | None


def look_for_anchor(client: Client, settings: Settings, keys: Sequence[VerifierKey]) -> Anchorage:
    """Asks the server for the newest anchor and, where the bucket is configured here too, compares it with the bucket.

    Raises:
        AtomError: OBJ codes the bucket cannot be read, AUD717 the server's answer is no evidence.
    """
    from atomctl.audit.anchor import newest_of
    from atomctl.audit.anchored import shown_finding
    from atomctl.audit.evidence import read_evidence
    from atomctl.objects.opening import audit_store

    store: LockedStore | None = audit_store(settings)
    seen: Anchor | None = newest_of(store, keys) if store is not None else None
    answer = client.get("audit/anchor")["evidence"]
    evidence = read_evidence(answer) if answer is not None else None
    if store is None:
        return Anchorage(evidence, None)
    return Anchorage(evidence, shown_finding(evidence.anchor if evidence else None, seen, store))


def verify_anchored(
    client: Client, bundle: Path, anchorage: Anchorage, keys: Sequence[VerifierKey], witnessed: Sequence[bytes]
) -> AuditVerdict:
    """What verification finds in the bundle, which was fetched after the anchorage was looked for.

    Raises:
        AtomError: as `verify_bundle`.
    """
    from atomctl.audit.anchored import Anchored, extension_finding, judge
    from atomctl.audit.bundle import read_header
    from atomctl.audit.checkpoint import parse_checkpoint
    from atomctl.audit.names import LogName
    from atomctl.audit.verify import verify_bundle

    with bundle.open("rb") as stream:
        header = read_header(stream)
    anchored = Anchored(None)
    if anchorage.evidence is not None and keys:
        anchored = judge(anchorage.evidence, LogName.parse(header.origin).tenant_id, keys)
    findings = [*anchored.findings, *([anchorage.finding] if anchorage.finding else [])]
    if anchored.checkpoint is None or header.run is None:
        known = [anchored.checkpoint] if anchored.checkpoint is not None else []
        verdict = verify_bundle(bundle, trusted=keys, witnessed=witnessed, anchored=known)
        return verdict.with_findings(findings)
    # The entries of a run are not the whole log: a proof shows that their checkpoint extends the anchored one.
    verdict = verify_bundle(bundle, trusted=keys, witnessed=witnessed)
    older, newer = parse_checkpoint(anchored.checkpoint)[0], verdict.checkpoint
    found = extension_finding(older, newer, _consistency(client, older.size, newer.size))
    return dataclasses.replace(verdict, anchored=True).with_findings([*findings, *([found] if found else [])])


def _consistency(client: Client, old: int, new: int) -> tuple[bytes, ...]:
    if old >= new:
        return ()
    answer = client.get("audit/consistency", old=old, new=new)
    try:
        return tuple(base64.b64decode(node, validate=True) for node in answer["proof"])
    except binascii.Error:
        return ()  # what is no proof proves nothing
