"""The evidence for one tenant under an anchor, as the API gives it and a client reads it."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from atomctl.audit import codes
from atomctl.audit.anchor import Anchor
from atomctl.audit.checkpoint import parse_checkpoint
from atomctl.audit.verdict import Finding
from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.objects.locking import LockMode, Retention

SCHEMA = "atom.audit-anchor/v1"
_FINDINGS = {code.id: code for code in codes.CODES}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What leads from the newest anchor to a tenant's log.

    Attributes:
        anchor: the checkpoint in the bucket.
        finding: what contradicts it in the live log of the deployment.
        index: where the tenant's checkpoint stands there.
        leaf: that entry, byte for byte; None if the tenant had no checkpoint when the anchor was made, or the anchor
            covers what a restore lost.
        proof: from the leaf to the anchor's root, nearest hash first.
    """

    anchor: Anchor
    finding: Finding | None = None
    index: int = 0
    leaf: bytes | None = None
    proof: tuple[bytes, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """The evidence as a document, schema `atom.audit-anchor/v1`; hashes in base64, times in UTC."""
        kept, finding = self.anchor.retention, self.finding
        return {
            "schema": SCHEMA,
            "key": self.anchor.key,
            "anchor": self.anchor.note.decode(),
            "retention": {
                "mode": kept.mode.value,
                "until": kept.until.isoformat() if kept.until else None,
                "held": kept.held,
            },
            "finding": {"code": finding.code.id, "why": finding.why, "index": finding.index} if finding else None,
            "index": self.index,
            "leaf": self.leaf.decode() if self.leaf is not None else None,
            "proof": [base64.b64encode(node).decode() for node in self.proof],
        }


def read_evidence(document: Mapping[str, Any]) -> Evidence:
    """The evidence in a document that somebody else wrote.

    Raises:
        AtomError: AUD717 it is none.
    """
    try:
        kept, finding, leaf = document["retention"], document["finding"], document["leaf"]
        note = str(document["anchor"]).encode()
        until = datetime.datetime.fromisoformat(kept["until"]) if kept["until"] else None
        retention = Retention(LockMode(kept["mode"]), until, bool(kept["held"]))
        return Evidence(
            Anchor(str(document["key"]), note, parse_checkpoint(note)[0], retention),
            Finding(_FINDINGS[finding["code"]], str(finding["why"]), finding["index"]) if finding else None,
            int(document["index"]),
            leaf.encode() if leaf is not None else None,
            tuple(base64.b64decode(node, validate=True) for node in document["proof"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AtomError(codes.BAD_NOTE, f"not the evidence of an anchor: {error!r}") from error
