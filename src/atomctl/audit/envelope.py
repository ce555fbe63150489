"""Documents signed by the log's key: DSSE envelopes (secure-systems-lab/dsse, protocol v1.0.2) around canonical JSON.

The log's key signs them because its verifier key is what auditors keep elsewhere already; DSSE's prefix and the payload
type keep them apart from checkpoints and from each other.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from atomctl.audit.note import Signer, VerifierKey
from atomctl.canonical import Json, canonical_json
from atomctl.trust.formats.dsse import Envelope


@dataclass(frozen=True, slots=True)
class SignedDocument:
    """An envelope that was read; nothing about its signature is known yet."""

    envelope: Envelope
    document: dict[str, Any]

    def signed_by(self, keys: Sequence[VerifierKey]) -> VerifierKey | None:
        """The first of the keys whose signature it carries."""
        return next((key for key in keys if _holds(self.envelope, key)), None)


def sign_document(payload_type: str, document: dict[str, Json], signer: Signer) -> bytes:
    """The signed document: the same document and key give the same bytes."""
    payload = canonical_json(document)
    unsigned = Envelope(payload_type, payload, b"")
    return canonical_json(Envelope(payload_type, payload, signer.sign(unsigned.signed_bytes)).to_json())


def read_document(data: bytes, payload_type: str, *, limit: int) -> SignedDocument:
    """The document in an envelope with one signature, which is not verified.

    Raises:
        ValueError: it is none, holds another type of payload, or has more than `limit` bytes.
    """
    if len(data) > limit:
        raise ValueError(f"more than {limit} bytes")
    try:
        found = json.loads(data)
        (signature,) = found["signatures"]
        payload = base64.b64decode(found["payload"], validate=True)
        envelope = Envelope(str(found["payloadType"]), payload, base64.b64decode(signature["sig"], validate=True))
        document = json.loads(payload)
    except (KeyError, TypeError, binascii.Error, RecursionError) as error:
        raise ValueError("not a DSSE envelope with one signature") from error
    if envelope.payload_type != payload_type or not isinstance(document, dict):
        raise ValueError(f"the envelope holds {envelope.payload_type[:80]!r}")
    return SignedDocument(envelope, document)


def _holds(envelope: Envelope, key: VerifierKey) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(envelope.signature, envelope.signed_bytes)
    except InvalidSignature:
        return False
    return True
