"""Verifying the log where it lies: entries against tiles, head, and every checkpoint that was signed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from atomctl.audit import codes
from atomctl.audit.checkpoint import Checkpoint, key_for, parse_checkpoint
from atomctl.audit.export import pages_of_log
from atomctl.audit.leaf import entry_of, place_of, time_text
from atomctl.audit.note import VerifierKey, parse_vkey
from atomctl.audit.roots import Roots
from atomctl.audit.tiles import HASH, WIDTH
from atomctl.audit.verdict import FINDINGS_AT_MOST, AuditVerdict, Finding, by_weight
from atomctl.audit.verify import compare, read_witnessed, signature_findings
from atomctl.audit.walk import Walk
from atomctl.canonical import commitment
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError

_PAGE = 1_000
_FIRST_ID = UUID(int=0)
_sql: Any = queries.load(__file__)


def verify_live(
    connection: Connection,
    tenant_id: UUID,
    *,
    trusted: Sequence[VerifierKey] = (),
    witnessed: Sequence[bytes] = (),
) -> AuditVerdict:
    """Verifies the whole log of a tenant in the database.

    Entries that are recorded and not in the log yet are not part of the answer. Reads page by page.

    Args:
        connection: a transaction of the tenant.
        tenant_id: whose log.
        trusted: the keys that may have signed it; without any, the key stored beside the checkpoints is taken and the
            signer is unknown.
        witnessed: signed checkpoints of the same log that were kept elsewhere.

    Raises:
        AtomError: AUD712 nothing was signed yet; AUD717 or AUD708 a witnessed checkpoint cannot be used.
    """
    rows = list(_sql.checkpoints(connection, tenant_id=tenant_id))
    head = _sql.head(connection, tenant_id=tenant_id)
    if not rows:
        raise AtomError(codes.NOT_YET, "the log has no signed checkpoint yet")
    origin = parse_checkpoint(bytes(rows[-1]["note"]))[0].origin
    key = key_for(origin, trusted or [parse_vkey(rows[-1]["vkey"])])
    others = tuple(read_witnessed(item, origin, key) for item in witnessed)
    signed, findings = _read_checkpoints(rows, origin, key)
    heads = [Checkpoint(origin, head["size"], bytes(head["root"]))] if head else []

    walk, columns = Walk(), _Columns()
    roots = Roots(point.size for point in (*signed, *heads, *others))
    end = max(point["size"] for point in (*rows, head) if point)
    roots.follow(walk.leaves(columns.items(connection, tenant_id, end)))
    walk.finish(end)
    findings += [*walk.findings, *columns.findings, *_personal_findings(connection, tenant_id)]
    anchored = False
    if not walk.findings:
        findings += _root_findings(roots, signed, heads)
        forks, anchored = compare(roots, others)
        findings += forks
    return AuditVerdict(
        checkpoint=Checkpoint(origin, rows[-1]["size"], bytes(rows[-1]["root"])),
        entries=walk.seen,
        vkey=str(key) if key else rows[-1]["vkey"],
        signer_known=bool(trusted),
        anchored=anchored and not findings,
        run=None,
        findings=by_weight(findings),
    )


def _read_checkpoints(
    rows: list[dict[str, Any]], origin: str, key: VerifierKey | None
) -> tuple[list[Checkpoint], list[Finding]]:
    """The checkpoints whose signature holds, the smallest first, and what is wrong with the others."""
    signed, findings = [], []
    for row in rows:
        try:
            point, note = parse_checkpoint(bytes(row["note"]))
        except AtomError as error:
            findings.append(Finding(codes.BAD_SIGNATURE, f"the checkpoint of {row['size']} entries: {error.why}"))
            continue
        problems = list(signature_findings(point, note, key))
        if (point.origin, point.size, point.root) != (origin, row["size"], bytes(row["root"])):
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


class _Columns:
    """Reads entries in the order of their rows, and compares each row with the leaf in it."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []

    def items(self, connection: Connection, tenant_id: UUID, end: int) -> Iterator[tuple[bytes, bytes | None]]:
        tiles = _Tiles(connection, tenant_id)
        for row in pages_of_log(connection, tenant_id, end):
            data = bytes(row["data"])
            place = place_of(data)
            claimed = tiles.leaf(place.at) if place else None
            # What was changed inside the leaf is said once, by its hash.
            if place and place.at == row["entry_index"]:
                self._compare(row, data, place.time)
            yield data, claimed

    def _compare(self, row: dict[str, Any], data: bytes, time: str) -> None:
        index = row["entry_index"]
        if time_text(row["sequenced_at"]) != time:
            self._find(Finding(codes.BACKDATED, f"the row of entry {index} says another time than its leaf", index))
        try:
            entry = entry_of(data)
        except ValueError:
            return
        said = (entry.get("id"), entry.get("run"), entry.get("subject"))
        run = str(row["run_id"]) if row["run_id"] else None
        if said != (str(row["entry_id"]), run, row["subject"]):
            self._find(Finding(codes.CHANGED, f"the row of entry {index} says something else than its leaf", index))

    def _find(self, finding: Finding) -> None:
        if len(self.findings) < FINDINGS_AT_MOST:
            self.findings.append(finding)


class _Tiles:
    """The leaf hashes the tiles hold; one tile is kept at a time."""

    def __init__(self, connection: Connection, tenant_id: UUID) -> None:
        self._connection = connection
        self._tenant_id = tenant_id
        self._tile, self._hashes = -1, b""

    def leaf(self, index: int) -> bytes | None:
        tile, offset = divmod(index, WIDTH)
        if tile != self._tile:
            row = _sql.tile(self._connection, tenant_id=self._tenant_id, level=0, tile=tile)
            self._tile, self._hashes = tile, bytes(row["hashes"]) if row else b""
        return self._hashes[offset * HASH : (offset + 1) * HASH] or None


def _personal_findings(connection: Connection, tenant_id: UUID) -> Iterator[Finding]:
    """Stored personal values that are not what the log committed to."""
    after: tuple[UUID, str] = (_FIRST_ID, "")
    while True:
        rows = list(
            _sql.personal_with_entries(
                connection, tenant_id=tenant_id, after_entry=after[0], after_field=after[1], limit=_PAGE
            )
        )
        for row in rows:
            if not _commits(row):
                index, field = row["entry_index"], row["field"]
                yield Finding(codes.CHANGED, f"the personal value {field!r} of entry {index} was changed", index)
        if len(rows) < _PAGE:
            return
        after = (rows[-1]["entry_id"], rows[-1]["field"])


def _commits(row: dict[str, Any]) -> bool:
    try:
        personal = entry_of(row["data"]).get("personal")
    except ValueError:
        return False
    said = personal.get(row["field"]) if isinstance(personal, dict) else None
    if row["commitment"] != said:
        return False
    return row["value"] is None or commitment(bytes(row["salt"]), row["value"]) == said
