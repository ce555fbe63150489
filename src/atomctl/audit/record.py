"""Recording: one row in the inbox, in the transaction of the change it describes.

The inbox takes no lock, so recording costs an INSERT. The sequencer moves the row into the tenant's tree later; if the
change is rolled back, so is its entry.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from atomctl.audit.codes import TOO_LARGE
from atomctl.audit.model import MAX_ENTRY, Entry, entry_bytes, writable
from atomctl.canonical import Digest, commitment
from atomctl.db import queries
from atomctl.db.ids import new_id
from atomctl.db.session import Connection
from atomctl.errors import AtomError

MAX_PERSONAL = 1_024
"""Bytes of one personal value."""

_SALT = 32
_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class _Commitment:
    field: str
    value: str
    salt: bytes
    digest: Digest


def record(conn: Connection, tenant_id: UUID, entry: Entry) -> UUID:
    """Records `entry` in the caller's open transaction and returns the id it got.

    Touches `audit_inbox`, and `personal_values` for the entry's personal fields. The connection's tenant must be
    `tenant_id` (or `DEPLOYMENT`); row level security refuses anything else. Not idempotent: each call is an entry.

    Raises:
        AtomError: AUD711 the entry or a personal value is too large.
    """
    entry_id = new_id()
    committed = [_commit(field, str(writable(value))) for field, value in sorted(entry.personal.items())]
    commitments = {item.field: item.digest for item in committed}
    data = entry_bytes(entry, entry_id=entry_id, tenant_id=tenant_id, commitments=commitments)
    if len(data) > MAX_ENTRY:
        raise AtomError(TOO_LARGE, f"{entry.action} has {len(data)} bytes, at most {MAX_ENTRY} fit")
    _sql.insert_inbox(
        conn,
        tenant_id=tenant_id,
        entry_id=entry_id,
        run_id=entry.run,
        subject=writable(entry.subject),
        data=data,
    )
    for item in committed:
        _sql.insert_personal(
            conn,
            tenant_id=tenant_id,
            entry_id=entry_id,
            field=item.field,
            value=item.value,
            salt=item.salt,
            commitment=item.digest,
        )
    return entry_id


def _commit(field: str, value: str) -> _Commitment:
    if len(value.encode()) > MAX_PERSONAL:
        raise AtomError(TOO_LARGE, f"the personal value {field!r} has more than {MAX_PERSONAL} bytes")
    salt = secrets.token_bytes(_SALT)
    return _Commitment(field, value, salt, commitment(salt, value))
