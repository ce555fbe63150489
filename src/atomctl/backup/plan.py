"""What kind of set to take next. Pure."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from atomctl.backup import codes
from atomctl.backup.model import Kind, Server, Statement
from atomctl.backup.shelf import Shelved
from atomctl.errors import AtomError

INCREMENTAL_FROM = 17
"""The first PostgreSQL with incremental base backups."""

LONGEST_CHAIN = 7
"""Sets of a chain that the schedule makes: with one a day, a full one a week."""


class Wanted(enum.StrEnum):
    """What the caller asks for."""

    FULL = "full"
    INCREMENTAL = "incremental"
    """Incremental, or a refusal that says why not."""
    BEST = "best"
    """Incremental where it is possible and the chain is not too long, else full."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The kind of set to take and what it builds on; `why` is a reason a person understands."""

    kind: Kind
    parent: Shelved | None
    why: str


def make_plan(wanted: Wanted, server: Server, summarizes: bool, sets: Sequence[Shelved]) -> Plan:
    """What to take.

    Args:
        wanted: what was asked for.
        server: what is backed up.
        summarizes: whether it keeps the summaries that incremental backups are made from.
        sets: what there is, the newest first.

    Raises:
        AtomError: BAK012 incremental was asked for and is not possible.
    """
    if wanted is Wanted.FULL:
        return Plan(Kind.FULL, None, "a full one was asked for")
    parent = next((item for item in sets if item.statement.server.system_id == server.system_id), None)
    obstacle = _obstacle(server, summarizes, parent.statement if parent else None)
    if obstacle is None and wanted is Wanted.BEST and parent and _length(parent, sets) >= LONGEST_CHAIN:
        obstacle = f"the chain has {LONGEST_CHAIN} sets"
    if obstacle is None:
        assert parent is not None, "without a parent there is an obstacle"
        return Plan(Kind.INCREMENTAL, parent, f"it builds on {parent.statement.id}")
    if wanted is Wanted.INCREMENTAL:
        raise AtomError(codes.NOT_INCREMENTAL, obstacle)
    return Plan(Kind.FULL, None, obstacle)


def _obstacle(server: Server, summarizes: bool, parent: Statement | None) -> str | None:
    if server.major < INCREMENTAL_FROM:
        return f"PostgreSQL {server.major} takes full backups only"
    if not summarizes:
        return "summarize_wal is off"
    if parent is None:
        return "there is no earlier set of this server"
    if (parent.server.timeline, parent.server.major) != (server.timeline, server.major):
        return "the newest set is of the time before a restore or an upgrade"
    return None


def _length(last: Shelved, sets: Sequence[Shelved]) -> int:
    known = {item.statement.id: item.statement for item in sets}
    length, parent = 1, last.statement.parent
    while parent is not None and parent.id in known:
        length, parent = length + 1, known[parent.id].parent
    return length
