"""Sigstore bundles: a detached signature and what is needed to check it (sigstore/protobuf-specs, v0.1 to v0.3).

The parser accounts for every field of the format, so a bundle that says more than is understood is refused. It decides
nothing: a hint or certificate that parses is not trusted by that.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, TypeAlias

from atomctl.canonical import canonical_json
from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats import dsse, log_entry
from atomctl.trust.formats.log_entry import LogEntry
from atomctl.trust.formats.strict_json import Fields, MalformedError, TooLargeError, read

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
_CHAIN_VERSIONS = frozenset(
    {"application/vnd.dev.sigstore.bundle+json;version=0.1", "application/vnd.dev.sigstore.bundle+json;version=0.2"}
)
_LEAF_VERSIONS = frozenset({MEDIA_TYPE, "application/vnd.dev.sigstore.bundle+json;version=0.3"})
MAX_BYTES = 512 * 1024
MAX_DEPTH = 24
_MAX_ENTRIES = 32
_CERTIFICATE_LIMIT = 16 * 1024


@dataclass(frozen=True, slots=True)
class KeyHint:
    """A key signed this. The hint is base64 of the key's SHA-256, unauthenticated, and may be absent."""

    hint: str | None


@dataclass(frozen=True, slots=True)
class Certificates:
    """A certificate signed this (keyless); the leaf first, DER."""

    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class MessageSignature:
    """A signature over the artifact itself, as `cosign sign-blob` makes it."""

    sha256: bytes | None
    """The digest the bundle claims; None where it claims none."""
    signature: bytes


Material: TypeAlias = KeyHint | Certificates
Content: TypeAlias = MessageSignature | dsse.Envelope


@dataclass(frozen=True, slots=True)
class Bundle:
    """A parsed bundle, none of it verified."""

    material: Material
    content: Content
    log_entries: tuple[LogEntry, ...] = ()
    timestamps: tuple[bytes, ...] = ()
    """RFC 3161 timestamp responses, DER."""


def parse(data: bytes) -> Bundle:
    """The bundle in `data`.

    Raises:
        AtomError: TRU202 malformed, TRU203 beyond the limits, TRU204 a media type that is not supported.
    """
    try:
        return _parse(read(data, max_bytes=MAX_BYTES, max_depth=MAX_DEPTH))
    except TooLargeError as error:
        raise AtomError(codes.BUNDLE_TOO_LARGE, f"bundle: {error}") from error
    except MalformedError as error:
        raise AtomError(codes.BUNDLE_MALFORMED, f"bundle: {error}") from error


def write(content: Content, key_sha256: bytes) -> bytes:
    """A v0.3 bundle, as canonical JSON, of a signature by the key whose SubjectPublicKeyInfo hashes to `key_sha256`."""
    document: dict[str, Any] = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": base64.b64encode(key_sha256).decode()}, "tlogEntries": []},
    }
    match content:
        case MessageSignature(sha256=sha256, signature=signature):
            message: dict[str, Any] = {"signature": base64.b64encode(signature).decode()}
            if sha256 is not None:
                message["messageDigest"] = {"algorithm": "SHA2_256", "digest": base64.b64encode(sha256).decode()}
            document["messageSignature"] = message
        case dsse.Envelope():
            document["dsseEnvelope"] = content.to_json()
    return canonical_json(document)


def _parse(fields: Fields) -> Bundle:
    media_type = fields.text("mediaType")
    if media_type not in _CHAIN_VERSIONS | _LEAF_VERSIONS:
        raise AtomError(codes.BUNDLE_VERSION, f"bundle: mediaType {media_type[:120]!r}")
    verification = fields.object("verificationMaterial")
    bundle = Bundle(
        _material(verification, chain=media_type in _CHAIN_VERSIONS),
        _content(fields),
        tuple(log_entry.parse(entry) for entry in verification.objects("tlogEntries", limit=_MAX_ENTRIES)),
        _timestamps(verification),
    )
    verification.done()
    fields.done()
    return bundle


def _material(fields: Fields, *, chain: bool) -> Material:
    kinds = [kind for kind in ("publicKey", "certificate", "x509CertificateChain") if fields.has(kind)]
    if len(kinds) != 1:
        raise MalformedError(f"{fields.where} holds {len(kinds)} of publicKey and certificate, exactly one is expected")
    inner = fields.object(kinds[0])
    match kinds[0]:
        case "publicKey":
            material: Material = KeyHint(inner.optional_text("hint", limit=256) or None)
        case "certificate":
            if chain:
                raise MalformedError(f"{inner.where} belongs to v0.3, older bundles hold a chain")
            material = Certificates((inner.base64("rawBytes", limit=_CERTIFICATE_LIMIT),))
        case _:
            material = Certificates(_chain(inner))
    inner.done()
    return material


def _chain(fields: Fields) -> tuple[bytes, ...]:
    certificates = []
    for item in fields.objects("certificates", limit=16):
        certificates.append(item.base64("rawBytes", limit=_CERTIFICATE_LIMIT))
        item.done()
    if not certificates:
        raise MalformedError(f"{fields.path('certificates')} is empty")
    return tuple(certificates)


def _content(fields: Fields) -> Content:
    if fields.has("messageSignature") == fields.has("dsseEnvelope"):
        raise MalformedError("exactly one of messageSignature and dsseEnvelope is expected")
    if fields.has("dsseEnvelope"):
        return dsse.parse(fields.object("dsseEnvelope"))
    message = fields.object("messageSignature")
    claimed = _message_digest(message.object("messageDigest")) if message.has("messageDigest") else None
    content = MessageSignature(claimed, message.base64("signature", limit=1024))
    message.done()
    return content


def _message_digest(fields: Fields) -> bytes:
    if (algorithm := fields.text("algorithm")) != "SHA2_256":
        raise MalformedError(f"{fields.path('algorithm')} is {algorithm[:40]!r}, SHA2_256 is expected")
    value = fields.base64("digest", limit=32)
    if len(value) != 32:
        raise MalformedError(f"{fields.path('digest')} is not 32 bytes long")
    fields.done()
    return value


def _timestamps(verification: Fields) -> tuple[bytes, ...]:
    if not verification.has("timestampVerificationData"):
        return ()
    data = verification.object("timestampVerificationData")
    stamps = []
    for stamp in data.objects("rfc3161Timestamps", limit=_MAX_ENTRIES):
        stamps.append(stamp.base64("signedTimestamp", limit=64 * 1024))
        stamp.done()
    data.done()
    return tuple(stamps)
