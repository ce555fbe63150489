"""The rows of a log as its live verification sees them: entries, tiles and personal values against each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from atomctl.audit import codes
from atomctl.audit.export import pages_of_log
from atomctl.audit.leaf import entry_of, place_of, time_text
from atomctl.audit.tiles import HASH, WIDTH
from atomctl.audit.verdict import FINDINGS_AT_MOST, Finding
from atomctl.canonical import commitment
from atomctl.db import queries
from atomctl.db.session import Connection

_PAGE = 1_000
_FIRST_ID = UUID(int=0)
_sql: Any = queries.load(__file__)


class RowReader:
    """Reads entries in the order of their rows, and compares each row with the leaf in it.

    `findings` says where the columns people search by contradict the leaf; at most `FINDINGS_AT_MOST` are kept.
    """

    def __init__(self, connection: Connection, tenant_id: UUID) -> None:
        self.findings: list[Finding] = []
        self._connection = connection
        self._tenant_id = tenant_id

    def items(self, end: int) -> Iterator[tuple[bytes, bytes | None]]:
        """Each leaf below index `end`, with the hash the tiles hold for the index the leaf says it has."""
        tiles = _Tiles(self._connection, self._tenant_id)
        for row in pages_of_log(self._connection, self._tenant_id, end):
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
        """The hash of leaf `index`; None if no tile reaches it."""
        tile, offset = divmod(index, WIDTH)
        if tile != self._tile:
            row = _sql.tile(self._connection, tenant_id=self._tenant_id, level=0, tile=tile)
            self._tile, self._hashes = tile, bytes(row["hashes"]) if row else b""
        return self._hashes[offset * HASH : (offset + 1) * HASH] or None


def personal_findings(connection: Connection, tenant_id: UUID) -> Iterator[Finding]:
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
