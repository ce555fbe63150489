"""Transparency log entries inside a bundle, and what each says was signed, by which key.

An entry that is not compared with the signature it stands beside proves nothing about it (CVE-2026-22703), so the
canonical body is read and its digest, signature and key are handed to whoever verifies. Bodies: Rekor v1
`hashedrekord` 0.0.1 and `dsse` 0.0.1, Rekor v2 `hashedrekord` and `dsse` 0.0.2. Others are kept without a reading.
"""

from __future__ import annotations

from dataclasses import dataclass

from atomctl.trust.formats import pem
from atomctl.trust.formats.strict_json import Fields, MalformedError, read

_BODY_LIMIT = 256 * 1024


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a log entry's body says was signed."""

    sha256: bytes
    """Of the artifact. Over an envelope: of its payload (`dsse` entry), of all that is signed (`hashedrekord`)."""
    signature: bytes
    spki: bytes | None
    """The key, DER; None where the entry names a certificate."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An entry as the bundle claims it; neither its inclusion nor its log's signature has been checked."""

    log_id: bytes
    index: int
    kind: str
    version: str
    recorded: Recorded | None
    """None where the body is of a kind that is not read."""


def parse(fields: Fields) -> LogEntry:
    """The entry in a bundle's `tlogEntries`.

    Raises:
        MalformedError: a field missing, unknown or of the wrong form, here or in the body.
    """
    kind_version = fields.object("kindVersion")
    kind, version = kind_version.text("kind", limit=64), kind_version.text("version", limit=32)
    log = fields.object("logId")
    log_id = log.base64("keyId", limit=64)
    index = fields.count("logIndex") if fields.has("logIndex") else 0
    if fields.has("integratedTime"):
        fields.count("integratedTime")
    _promise(fields)
    _proof(fields)
    body = read(fields.base64("canonicalizedBody", limit=_BODY_LIMIT), max_bytes=_BODY_LIMIT, max_depth=16)
    for part in (kind_version, log, fields):
        part.done()
    return LogEntry(log_id, index, kind, version, _recorded(kind, version, body))


def _promise(fields: Fields) -> None:
    if fields.has("inclusionPromise"):
        promise = fields.object("inclusionPromise")
        promise.base64("signedEntryTimestamp", limit=1024)
        promise.done()


def _proof(fields: Fields) -> None:
    if not fields.has("inclusionProof"):
        return
    proof = fields.object("inclusionProof")
    index, size = (proof.count(name) if proof.has(name) else 0 for name in ("logIndex", "treeSize"))
    if index >= size:
        raise MalformedError(f"{proof.where} is for leaf {index} of a tree of {size}")
    hashes = proof.texts("hashes", limit=64)
    if len(proof.base64("rootHash", limit=32)) != 32 or any(len(value) != 44 for value in hashes):
        raise MalformedError(f"{proof.where} holds a hash that is not 32 bytes long")
    if proof.has("checkpoint"):
        checkpoint = proof.object("checkpoint")
        checkpoint.text("envelope", limit=16 * 1024)
        checkpoint.done()
    proof.done()


def _recorded(kind: str, version: str, body: Fields) -> Recorded | None:
    match kind, version:
        case "hashedrekord", "0.0.1":
            return _hashedrekord_v1(body.object("spec"))
        case "hashedrekord", "0.0.2":
            return _hashedrekord_v2(body.object("spec").object("hashedRekordV002"))
        case "dsse", "0.0.1":
            return _dsse_v1(body.object("spec"))
        case "dsse", "0.0.2":
            return _dsse_v2(body.object("spec").object("dsseV002"))
        case _:
            return None


def _hashedrekord_v1(spec: Fields) -> Recorded:
    signature = spec.object("signature")
    key = signature.object("publicKey").base64("content", limit=64 * 1024)
    return Recorded(_hex_digest(spec.object("data").object("hash")), signature.base64("content", limit=1024), _key(key))


def _dsse_v1(spec: Fields) -> Recorded:
    signature = _single(spec)
    key = signature.base64("verifier", limit=64 * 1024)
    return Recorded(_hex_digest(spec.object("payloadHash")), signature.base64("signature", limit=1024), _key(key))


def _hashedrekord_v2(spec: Fields) -> Recorded:
    signature = spec.object("signature")
    return Recorded(_digest(spec.object("data")), signature.base64("content", limit=1024), _verifier(signature))


def _dsse_v2(spec: Fields) -> Recorded:
    signature = _single(spec)
    return Recorded(_digest(spec.object("payloadHash")), signature.base64("content", limit=1024), _verifier(signature))


def _single(spec: Fields) -> Fields:
    signatures = spec.objects("signatures", limit=16)
    if len(signatures) != 1:
        raise MalformedError(f"{spec.path('signatures')} has {len(signatures)} signatures, exactly one is expected")
    return signatures[0]


def _key(data: bytes) -> bytes | None:
    """The DER of a PEM public key; None where the entry holds a certificate instead."""
    if data.startswith(b"-----BEGIN CERTIFICATE-----"):
        return None
    try:
        return pem.read(data, {pem.PUBLIC})
    except ValueError as error:
        raise MalformedError(f"the log entry's key: {error}") from error


def _verifier(signature: Fields) -> bytes | None:
    verifier = signature.object("verifier")
    return verifier.object("publicKey").base64("rawBytes", limit=16 * 1024) if verifier.has("publicKey") else None


def _hex_digest(fields: Fields) -> bytes:
    value = fields.text("value", limit=64)
    if fields.text("algorithm") != "sha256" or len(value) != 64:
        raise MalformedError(f"{fields.where} is not a SHA-256")
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise MalformedError(f"{fields.path('value')} is not hex") from error


def _digest(data: Fields) -> bytes:
    if data.text("algorithm") != "SHA2_256":
        raise MalformedError(f"{data.path('algorithm')} is not SHA2_256")
    return data.base64("digest", limit=32)
