"""The manifest: what an export consists of, signed by the audit log's key, written last.

A DSSE envelope around canonical JSON, schema `atom.dataset-manifest/v1`. It holds no time of its making, so an export
that is repeated gives the same manifest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from atomctl.audit.envelope import read_document, sign_document
from atomctl.audit.keys import FileKey
from atomctl.audit.note import VerifierKey, parse_vkey
from atomctl.canonical import Digest, Json, digest
from atomctl.dataset import codes
from atomctl.dataset.model import Partition, Reason, StoredFile
from atomctl.dataset.workspace import file_from, partition_from
from atomctl.errors import AtomError

SCHEMA = "atom.dataset-manifest/v1"
PAYLOAD = "application/vnd.atom.dataset-manifest+json"
_LARGEST = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a finished export consists of; `order` is what `plan.describe` says."""

    order: dict[str, Json]
    watermark: int | None
    partitions: tuple[Partition, ...]
    card: StoredFile
    signer: VerifierKey

    @property
    def rows(self) -> int:
        """Of all partitions."""
        return sum(partition.rows for partition in self.partitions)

    @property
    def dropped(self) -> dict[Reason, int]:
        """Of all partitions, by reason; only what occurred."""
        return dropped_in(self.partitions)

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """Every file but the manifest itself."""
        return (self.card, *(file for partition in self.partitions for file in partition.files))

    def to_json(self) -> dict[str, Json]:
        """The document that is signed."""
        return {
            "schema": SCHEMA,
            "signer": str(self.signer),
            "order": self.order,
            "watermark": self.watermark,
            "rows": self.rows,
            "dropped": {reason.value: count for reason, count in self.dropped.items()},
            "partitions": [partition.to_json() for partition in self.partitions],
            "card": self.card.to_json(),
        }

    def sign(self, key: FileKey) -> bytes:
        """The bytes of the manifest's file."""
        return sign_document(PAYLOAD, self.to_json(), key)


@dataclass(frozen=True, slots=True)
class ReadManifest:
    """A manifest whose signature holds."""

    manifest: Manifest
    digest: Digest
    """Of the file: what the audit log says was exported."""
    signer_known: bool
    """Whether one of the trusted keys signed it; else it is the key it names itself."""


def read_manifest(data: bytes, trusted: Sequence[VerifierKey]) -> ReadManifest:
    """The manifest, signed by one of the trusted keys, or by the key it names if none is given.

    Raises:
        AtomError: DAT810 it is no manifest, DAT811 its signature does not hold.
    """
    try:
        signed = read_document(data, PAYLOAD, limit=_LARGEST)
        manifest = _from_json(signed.document)
    except (ValueError, KeyError, TypeError, AttributeError, AtomError) as error:
        raise AtomError(codes.NOT_A_DATASET, f"the manifest cannot be read: {error}") from error
    if signed.signed_by(trusted or [manifest.signer]) is None:
        raise AtomError(codes.BAD_SIGNATURE, f"none of {max(1, len(trusted))} keys signed the manifest")
    return ReadManifest(manifest, digest(data), signer_known=bool(trusted))


def dropped_in(partitions: Sequence[Partition]) -> dict[Reason, int]:
    """What was dropped from the partitions together, by reason; only what occurred."""
    totals = {reason: sum(each.dropped.get(reason, 0) for each in partitions) for reason in sorted(Reason)}
    return {reason: count for reason, count in totals.items() if count}


def _from_json(document: dict[str, Any]) -> Manifest:
    if document["schema"] != SCHEMA:
        raise ValueError(f"the schema is {str(document['schema'])[:80]!r}")
    manifest = Manifest(
        order=dict(document["order"]),
        watermark=document["watermark"],
        partitions=tuple(partition_from(each) for each in document["partitions"]),
        card=file_from(document["card"]),
        signer=parse_vkey(document["signer"]),
    )
    if manifest.to_json() != document:
        raise ValueError("its sums or fields are not those of its parts")
    return manifest
