"""Proofs out of the database: that an entry is in the log, and that a later log begins with an earlier one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from atomctl.audit import merkle
from atomctl.audit.codes import FORKED, NO_ENTRY, NOT_YET
from atomctl.audit.stored import stored_subtrees
from atomctl.canonical import Json
from atomctl.db import queries
from atomctl.db.session import Connection
from atomctl.errors import AtomError

_sql: Any = queries.load(__file__)


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """What shows that a leaf is under a checkpoint, to anybody who has the checkpoint's key.

    `checkpoint` is the signed note; `proof` leads from the hash of `leaf` to its root, nearest hash first.
    """

    index: int
    leaf: bytes
    proof: tuple[bytes, ...]
    checkpoint: bytes
    vkey: str

    def to_json(self) -> dict[str, Json]:
        """The proof as a document, schema `atom.audit-proof/v1`; hashes in hex."""
        return {
            "schema": "atom.audit-proof/v1",
            "index": self.index,
            "leaf": self.leaf.decode(),
            "leaf_hash": merkle.leaf_hash(self.leaf).hex(),
            "proof": [node.hex() for node in self.proof],
            "checkpoint": self.checkpoint.decode(),
            "vkey": self.vkey,
        }


def last_checkpoint(connection: Connection, tenant_id: UUID) -> dict[str, Any]:
    """The row of the newest signed checkpoint: `size`, `root`, `note`, `vkey`, `signed_at`.

    Raises:
        AtomError: AUD712 nothing was signed yet.
    """
    row: dict[str, Any] | None = _sql.last_checkpoint(connection, tenant_id=tenant_id)
    if row is None:
        raise AtomError(NOT_YET, "the log has no signed checkpoint yet")
    return row


def prove_entry(connection: Connection, tenant_id: UUID, entry_id: UUID) -> InclusionProof:
    """The proof that an entry is under the newest checkpoint.

    Raises:
        AtomError: AUD713 there is no such entry, AUD712 it is recorded and not under a checkpoint yet, AUD707 the
            stored tree does not lead to the checkpoint.
    """
    row = _sql.entry_by_id(connection, tenant_id=tenant_id, entry_id=entry_id)
    if row is None:
        waiting = _sql.is_waiting(connection, tenant_id=tenant_id, entry_id=entry_id)
        raise AtomError(NOT_YET if waiting else NO_ENTRY, f"entry {entry_id} is not in the log")
    checkpoint = last_checkpoint(connection, tenant_id)
    index, leaf = row["entry_index"], bytes(row["data"])
    if index >= checkpoint["size"]:
        raise AtomError(NOT_YET, f"entry {index} is behind the newest checkpoint of {checkpoint['size']} entries")
    proof = Prover(connection, tenant_id, checkpoint).prove(index, leaf)
    return InclusionProof(index, leaf, proof, bytes(checkpoint["note"]), checkpoint["vkey"])


class Prover:
    """Makes inclusion proofs under one checkpoint; each tile is read once."""

    def __init__(self, connection: Connection, tenant_id: UUID, checkpoint: dict[str, Any]) -> None:
        self._perfect = stored_subtrees(connection, tenant_id)
        self._size: int = checkpoint["size"]
        self._root = bytes(checkpoint["root"])

    def prove(self, index: int, leaf: bytes) -> tuple[bytes, ...]:
        """The proof for the leaf at `index`, which was verified before it is given out.

        Raises:
            AtomError: AUD707 the stored tree does not lead from this leaf to the checkpoint.
        """
        try:
            proof = merkle.inclusion_proof(index, self._size, self._perfect)
        except LookupError as error:
            raise AtomError(FORKED, f"the stored tree is incomplete: {error}") from error
        if not merkle.verify_inclusion(merkle.leaf_hash(leaf), index, self._size, proof, self._root):
            raise AtomError(FORKED, f"the stored tree does not lead from entry {index} to the signed checkpoint")
        return proof


def prove_consistency(connection: Connection, tenant_id: UUID, old: int, new: int) -> tuple[bytes, ...]:
    """The proof that the log of `new` entries begins with the log of `old` entries.

    Raises:
        AtomError: AUD713 the log never had these sizes.
    """
    try:
        return merkle.consistency_proof(old, new, stored_subtrees(connection, tenant_id))
    except (ValueError, LookupError) as error:
        raise AtomError(NO_ENTRY, f"no proof from {old} to {new} entries: {error}") from error
