"""Signing committed heads. A head that does not extend the last signed one is never signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from atomctl.audit.checkpoint import Checkpoint, sign_checkpoint
from atomctl.audit.merkle import subtree_root
from atomctl.audit.model import DEPLOYMENT, Entry
from atomctl.audit.note import Signer, VerifierKey
from atomctl.audit.record import record
from atomctl.audit.stored import stored_subtrees
from atomctl.canonical import digest
from atomctl.db import queries
from atomctl.db.session import Connection

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a round of signing did: checkpoints made, and the origins of heads that were refused."""

    checkpoints: int
    refused: tuple[str, ...]


def sign_heads(connection: Connection, signer: Signer) -> Signed:
    """Signs every head that has no checkpoint yet, and records each tenant's checkpoint in the deployment's log.

    The heads are read in a transaction of their own, so they are committed: a signed root can never be rolled back.
    The same head gives the same bytes, so doing it again after a crash is harmless.

    Args:
        connection: the one that holds the sequencer's lock, in autocommit mode.
        signer: the log's key.
    """
    refused = []
    made = 0
    for head in list(_sql.unsigned_heads(connection)):
        if not _extends_what_was_signed(connection, head):
            refused.append(head["origin"])
            continue
        note = sign_checkpoint(Checkpoint(head["origin"], head["size"], head["root"]), signer)
        with connection.transaction():
            made += _store(connection, head, note, VerifierKey(head["origin"], signer.public))
    return Signed(made, tuple(refused))


def _extends_what_was_signed(connection: Connection, head: dict[str, Any]) -> bool:
    """Whether the tiles lead to the head, and to the checkpoint signed last."""
    perfect = stored_subtrees(connection, head["tenant_id"])
    signed_size, signed_root = head["signed_size"] or 0, head["signed_root"]
    try:
        return (
            signed_size < head["size"]
            and subtree_root(0, head["size"], perfect) == head["root"]
            and (not signed_size or subtree_root(0, signed_size, perfect) == signed_root)
        )
    except LookupError:
        return False


def _store(connection: Connection, head: dict[str, Any], note: bytes, vkey: VerifierKey) -> int:
    tenant_id: UUID = head["tenant_id"]
    stored: int = _sql.insert_checkpoint(
        connection, tenant_id=tenant_id, size=head["size"], root=head["root"], note=note, vkey=str(vkey)
    )
    if stored and tenant_id != DEPLOYMENT:
        record(connection, DEPLOYMENT, _checkpoint_entry(tenant_id, head["size"], note))
    return stored


def _checkpoint_entry(tenant_id: UUID, size: int, note: bytes) -> Entry:
    return Entry(
        action="audit.checkpoint",
        subject=f"tenant/{tenant_id}",
        digests={"checkpoint": digest(note)},
        detail={"size": size, "checkpoint": note.decode()},
    )
