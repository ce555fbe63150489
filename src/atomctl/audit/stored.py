"""Finding full subtrees in the tiles of the database."""

from __future__ import annotations

import functools
from typing import Any
from uuid import UUID

from atomctl.audit.merkle import PerfectSubtree
from atomctl.audit.tiles import subtrees_from
from atomctl.db import queries
from atomctl.db.session import Connection

_sql: Any = queries.load(__file__)


def stored_subtrees(connection: Connection, tenant_id: UUID) -> PerfectSubtree:
    """Finds full subtrees in `audit_tiles`; each tile is read once.

    Returns:
        A function that raises `LookupError` for a subtree the tiles do not hold.
    """

    @functools.cache
    def read(level: int, tile: int) -> bytes:
        row = _sql.tile(connection, tenant_id=tenant_id, level=level, tile=tile)
        return bytes(row["hashes"]) if row else b""

    return subtrees_from(read)
