"""Verifying the log where it lies: entries against tiles, head, and every checkpoint that was signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from atomctl.audit import codes
from atomctl.audit.chain import Chain, EpochWatch
from atomctl.audit.checkpoint import Checkpoint, key_for, parse_checkpoint
from atomctl.audit.note import VerifierKey, parse_vkey
from atomctl.audit.roots import Roots
from atomctl.audit.rows import RowReader, personal_findings
from atomctl.audit.verdict import AuditVerdict, Finding, by_weight
from atomctl.audit.verify import compare, cut_off, read_witnessed, signature_findings
from atomctl.audit.walk import Walk
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError

_sql: Any = queries.load(__file__)


def verify_live(
    connection: Connection,
    tenant_id: UUID,
    *,
    trusted: Sequence[VerifierKey] = (),
    witnessed: Sequence[bytes] = (),
    anchored: Sequence[bytes] = (),
) -> AuditVerdict:
    """Verifies the whole log of a tenant in the database.

    Entries that are recorded and not in the log yet are not part of the answer. Reads page by page.

    Args:
        connection: a transaction of the tenant.
        tenant_id: whose log.
        trusted: the keys that may have signed it; without any, the key stored beside the checkpoints is taken and the
            signer is unknown.
        witnessed: signed checkpoints of the same log that were kept elsewhere.
        anchored: the same, of which it is known that they are older than the log as it is now.

    Raises:
        AtomError: AUD712 nothing was signed yet; AUD717 or AUD708 a witnessed checkpoint cannot be used.
    """
    rows = list(_sql.checkpoints(connection, tenant_id=tenant_id))
    head = _sql.head(connection, tenant_id=tenant_id)
    if not rows:
        raise AtomError(codes.NOT_YET, "the log has no signed checkpoint yet")
    origin = parse_checkpoint(bytes(rows[-1]["note"]))[0].origin
    key = key_for(origin, trusted or [parse_vkey(rows[-1]["vkey"])])
    older = tuple(read_witnessed(item, origin, key) for item in anchored)
    others = (*older, *(read_witnessed(item, origin, key) for item in witnessed))
    newest = Checkpoint(origin, rows[-1]["size"], bytes(rows[-1]["root"]))

    walk, watch, rows_read = Walk(), EpochWatch(), RowReader(connection, tenant_id)
    end = max(point["size"] for point in (*rows, head) if point)
    roots = Roots((*(row["size"] for row in rows), end, *(other.size for other in others)))
    roots.follow(walk.leaves(watch.items(rows_read.items(end))))
    walk.finish(end)
    chain = Chain(watch.seen, origin)
    signed, findings = _read_checkpoints(rows, chain, key)
    findings += [*cut_off(newest, older), *walk.findings, *rows_read.findings]
    findings += personal_findings(connection, tenant_id)
    fits = False
    if not walk.findings:
        findings += _root_findings(
            roots, signed, [Checkpoint(origin, head["size"], bytes(head["root"]))] if head else []
        )
        forks, fits = compare(roots, others, chain)
        findings += forks
    return AuditVerdict(
        checkpoint=newest,
        entries=walk.seen,
        vkey=str(key) if key else rows[-1]["vkey"],
        signer_known=bool(trusted),
        anchored=fits and not findings,
        run=None,
        findings=by_weight(findings),
        epochs=chain.epochs,
    )


def _read_checkpoints(
    rows: list[dict[str, Any]], chain: Chain, key: VerifierKey | None
) -> tuple[list[Checkpoint], list[Finding]]:
    """The checkpoints whose signature holds, the smallest first, and what is wrong with the others."""
    signed, findings = [], []
    for row in rows:
        try:
            point, note = parse_checkpoint(bytes(row["note"]))
        except AtomError as error:
            findings.append(Finding(codes.BAD_SIGNATURE, f"the checkpoint of {row['size']} entries: {error.why}"))
            continue
        name = chain.name_at(row["size"])
        problems = list(signature_findings(point, note, VerifierKey(name, key.public, key.type) if key else None))
        if (point.origin, point.size, point.root) != (name, row["size"], bytes(row["root"])):
            why = f"the checkpoint of {row['size']} entries says something else than its row"
            problems.append(Finding(codes.BAD_SIGNATURE, why, row["size"]))
        findings += problems
        signed += [] if problems else [point]
    return signed, findings


def _root_findings(roots: Roots, signed: Sequence[Checkpoint], heads: Sequence[Checkpoint]) -> Iterator[Finding]:
    """Signed roots that the entries do not give.

    If a later signed root fits and an earlier one does not, both were signed over different histories: a fork.
    """
    fitting = [point.size for point in signed if roots.at(point.size) == point.root]
    for point in signed:
        if roots.at(point.size) == point.root:
            continue
        code = codes.FORKED if fitting and point.size < fitting[-1] else codes.CHANGED
        yield Finding(code, f"the entries do not give the root signed at {point.size} entries", point.size)
    for head in heads:
        if roots.at(head.size) != head.root:
            yield Finding(codes.CHANGED, f"the entries do not give the head's root at {head.size} entries", head.size)
