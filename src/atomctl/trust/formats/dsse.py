"""DSSE envelopes: a typed payload and its signature (secure-systems-lab/dsse, protocol v1.0.2)."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from atomctl.trust.formats.strict_json import Fields, MalformedError

IN_TOTO = "application/vnd.in-toto+json"
_PAYLOAD_LIMIT = 256 * 1024
_SIGNATURE_LIMIT = 1024


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload with exactly one signature: Sigstore bundles allow no more, so m-of-n means m bundles."""

    payload_type: str
    payload: bytes
    signature: bytes

    @property
    def signed_bytes(self) -> bytes:
        """What the signature is over."""
        return pae(self.payload_type, self.payload)

    def to_json(self) -> dict[str, Any]:
        """The envelope as it stands in a bundle."""
        return {
            "payload": base64.b64encode(self.payload).decode(),
            "payloadType": self.payload_type,
            "signatures": [{"sig": base64.b64encode(self.signature).decode()}],
        }


def pae(payload_type: str, payload: bytes) -> bytes:
    """Pre-authentication encoding: type and payload with their lengths, so neither can flow into the other."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def parse(fields: Fields) -> Envelope:
    """The envelope in a bundle.

    Raises:
        MalformedError: not an envelope, or not with exactly one signature.
    """
    signatures = fields.objects("signatures", limit=16)
    if len(signatures) != 1:
        raise MalformedError(f"{fields.path('signatures')} has {len(signatures)} signatures, exactly one is allowed")
    signature = signatures[0].base64("sig", limit=_SIGNATURE_LIMIT)
    signatures[0].optional_text("keyid")  # DSSE: unauthenticated, so it decides nothing
    signatures[0].done()
    envelope = Envelope(fields.text("payloadType"), fields.base64("payload", limit=_PAYLOAD_LIMIT), signature)
    fields.done()
    return envelope
