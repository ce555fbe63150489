"""Statements about backups that were never taken."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from uuid import UUID

from atomctl.backup.keys import WrappedKey
from atomctl.backup.model import (
    AuditFacts,
    Facts,
    Kind,
    Parent,
    Part,
    Server,
    Span,
    Statement,
    StoredStream,
    Stream,
)
from atomctl.canonical import digest
from atomctl.db.ids import new_id

MakeStatement = Callable[..., Statement]
TAKEN = datetime.datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=datetime.UTC)


def make_statement(
    set_id: UUID | None = None,
    parent: Parent | None = None,
    version: int = 180004,
    system_id: str = "7711420161683910239",
    timeline: int = 1,
) -> Statement:
    set_id = set_id or new_id()
    streams = {
        stream: StoredStream((Part(f"backups/sets/{set_id}/{stream}/000000", 7, digest(b"sealed")),), 3)
        for stream in Stream
    }
    return Statement(
        id=set_id,
        kind=Kind.INCREMENTAL if parent else Kind.FULL,
        parent=parent,
        started_at=TAKEN - datetime.timedelta(seconds=5),
        taken_at=TAKEN,
        server=Server(version, system_id, timeline, 16 << 20, "atom"),
        span=Span(0x2000028, 0x3000130, f"atom-backup-{set_id}"),
        manifest=digest(b"manifest"),
        facts=Facts({"runs": 3, "tenants": 1}, AuditFacts(1, 5, digest(b"root"), 0, "")),
        key=WrappedKey("09ba62d07c1951d6", b"wrapped"),
        streams=streams,
    )
