"""Exporting a log, or the entries of one run, as a bundle that anybody can verify offline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO
from uuid import UUID

from atomctl.audit.bundle import Header, entry_line, header_line
from atomctl.audit.checkpoint import parse_checkpoint
from atomctl.audit.codes import NO_ENTRY, NOT_YET
from atomctl.audit.merkle import leaf_hash
from atomctl.audit.proofs import Prover, last_checkpoint
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError

_PAGE = 1_000
_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Exported:
    """What a bundle holds: entries, and the size of the log its checkpoint covers."""

    entries: int
    size: int
    origin: str
    vkey: str


def export_bundle(connection: Connection, tenant_id: UUID, *, run_id: UUID | None = None, out: BinaryIO) -> Exported:
    """Writes the tenant's whole log under its newest checkpoint, or a run's entries with their proofs, to `out`.

    The same checkpoint gives the same bytes. Entries are read page by page; memory does not grow with the log.

    Args:
        connection: a transaction of the tenant.
        tenant_id: whose log.
        run_id: only the entries of this run.
        out: where the bundle goes; on an error it holds a part that does not verify.

    Raises:
        AtomError: AUD712 nothing is signed yet, or entries of the run are not under a checkpoint; AUD713 the run has no
            entries; AUD707 the stored tree does not lead to the checkpoint.
    """
    checkpoint = last_checkpoint(connection, tenant_id)
    entries = checkpoint["size"] if run_id is None else _entries_of_run(connection, tenant_id, run_id, checkpoint)
    origin = parse_checkpoint(bytes(checkpoint["note"]))[0].origin
    header = Header(
        origin=origin,
        run=str(run_id) if run_id else None,
        entries=entries,
        vkey=checkpoint["vkey"],
        checkpoint=bytes(checkpoint["note"]).decode(),
    )
    out.write(header_line(header))
    if run_id is None:
        for row in pages_of_log(connection, tenant_id, checkpoint["size"]):
            out.write(entry_line(row["data"], leaf_hash(row["data"])))
    else:
        prover = Prover(connection, tenant_id, checkpoint)
        for row in _pages_of_run(connection, tenant_id, run_id, checkpoint["size"]):
            proof = prover.prove(row["entry_index"], row["data"])
            out.write(entry_line(row["data"], leaf_hash(row["data"]), proof))
    return Exported(entries, checkpoint["size"], origin, checkpoint["vkey"])


def pages_of_log(connection: Connection, tenant_id: UUID, end: int, *, first: int = 0) -> Iterator[dict[str, Any]]:
    """The rows of the log with an index from `first` to below `end`, in order."""
    while True:
        rows = list(_sql.entries_from(connection, tenant_id=tenant_id, first=first, end=end, limit=_PAGE))
        yield from rows
        if len(rows) < _PAGE:
            return
        first = rows[-1]["entry_index"] + 1


def _pages_of_run(connection: Connection, tenant_id: UUID, run_id: UUID, end: int) -> Iterator[dict[str, Any]]:
    first = 0
    while True:
        rows = list(_sql.run_entries_from(connection, tenant_id=tenant_id, run_id=run_id, first=first, limit=_PAGE))
        yield from (row for row in rows if row["entry_index"] < end)
        if len(rows) < _PAGE:
            return
        first = rows[-1]["entry_index"] + 1


def _entries_of_run(connection: Connection, tenant_id: UUID, run_id: UUID, checkpoint: dict[str, Any]) -> int:
    """How many entries the run has, all of them under the checkpoint."""
    waiting: int = _sql.waiting(connection, tenant_id=tenant_id, run_id=run_id)
    found = _sql.count_of_run(connection, tenant_id=tenant_id, run_id=run_id)
    if waiting or found["size"] > checkpoint["size"]:
        raise AtomError(NOT_YET, f"entries of run {run_id} are not under a signed checkpoint yet")
    if not found["entries"]:
        raise AtomError(NO_ENTRY, f"run {run_id} has no entries in this log")
    count: int = found["entries"]
    return count
