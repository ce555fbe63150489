"""One bundle, judged by itself: does it hold a valid signature over this package by a key the rules may count?"""

from __future__ import annotations

import base64
import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atomctl.canonical import Digest, raw_digest, sha256
from atomctl.canonical import digest as digest_of
from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats import bundle, dsse, statement
from atomctl.trust.formats.bundle import Bundle, Certificates, Content, KeyHint, MessageSignature
from atomctl.trust.formats.public_key import PublicKey
from atomctl.trust.formats.statement import Release
from atomctl.trust.key_record import KeyRecord
from atomctl.trust.verdict import Signature

_CLOCK_SKEW = datetime.timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a signature must be about, and the keys and clock it is judged with."""

    digest: Digest
    name: str
    version: str
    tenant: str | None
    environment: str
    keys: Mapping[Digest, KeyRecord]
    now: datetime.datetime
    accepted_at: datetime.datetime | None


def check(data: bytes, wanted: Candidate, allowed: frozenset[Digest]) -> Signature:
    """The signature in a bundle's bytes, which holds.

    Args:
        data: the bundle.
        wanted: what it must be about.
        allowed: the keys that some matched rule lists; no other can have signed it.

    Raises:
        AtomError: TRU202-TRU206, TRU210-TRU217, TRU220-TRU223, TRU236, TRU242: one code for each way not to hold.
    """
    parsed = bundle.parse(data)
    record, key = _signing_key(parsed, wanted, allowed)
    record.require_holding(wanted.now, wanted.accepted_at)
    release = _release(parsed, wanted)
    _require_log_binding(parsed, key, wanted.digest)
    return Signature(
        digest_of(data),
        record.key_id,
        record.principal,
        record.origin,
        release.created if release else None,
        tuple(entry.index for entry in parsed.log_entries),
        len(parsed.timestamps),
    )


def _signing_key(parsed: Bundle, wanted: Candidate, allowed: frozenset[Digest]) -> tuple[KeyRecord, PublicKey]:
    """The registered key whose signature this is.

    A hint names the only candidate; without one every allowed key is tried.
    """
    match parsed.material:
        case Certificates():
            raise AtomError(
                codes.CERTIFICATE_REFUSED, "the bundle holds a certificate; the rules for this name list keys"
            )
        case KeyHint(hint=hint):
            for record in _candidates(hint, wanted, allowed):
                key = record.key()
                if _signature_holds(parsed, key, wanted):
                    return record, key
    raise AtomError(codes.SIGNATURE_INVALID, "the signature does not verify with the key the bundle names")


def _candidates(hint: str | None, wanted: Candidate, allowed: frozenset[Digest]) -> Iterator[KeyRecord]:
    if hint is None:
        found = [record for key_id, record in wanted.keys.items() if key_id in allowed]
        if not found:
            raise AtomError(codes.KEY_UNKNOWN, "the bundle names no key, and no key of the rule is registered")
        yield from found
        return
    key_id = _hinted(hint)
    if key_id is None or key_id not in wanted.keys:
        raise AtomError(codes.KEY_UNKNOWN, f"the bundle names key {key_id or repr(hint[:80])}, which is not registered")
    if key_id not in allowed:
        raise AtomError(codes.KEY_NOT_ALLOWED, f"key {key_id} is not listed by the rules for {wanted.name}")
    yield wanted.keys[key_id]


def _hinted(hint: str) -> Digest | None:
    try:
        raw = base64.b64decode(hint, validate=True)
    except ValueError:
        return None
    return Digest(f"sha256:{raw.hex()}") if len(raw) == 32 else None


def _signature_holds(parsed: Bundle, key: PublicKey, wanted: Candidate) -> bool:
    match parsed.content:
        case MessageSignature(sha256=claimed, signature=signature):
            if claimed is not None and claimed != raw_digest(wanted.digest):
                raise AtomError(
                    codes.DIGEST_MISMATCH, f"the bundle signs sha256:{claimed.hex()}, the package is {wanted.digest}"
                )
            return key.verify_digest(signature, raw_digest(wanted.digest))
        case dsse.Envelope() as envelope:
            return key.verify(envelope.signature, envelope.signed_bytes)


def _release(parsed: Bundle, wanted: Candidate) -> Release | None:
    """What the verified statement releases, which is this package; None where only bytes are signed."""
    if isinstance(parsed.content, MessageSignature):
        return None
    if parsed.content.payload_type != dsse.IN_TOTO:
        raise AtomError(codes.STATEMENT_TYPE, f"a payload of type {parsed.content.payload_type[:80]!r}")
    said = statement.parse(parsed.content.payload)
    if said.digest != wanted.digest:
        raise AtomError(codes.DIGEST_MISMATCH, f"the statement is about {said.digest}, the package is {wanted.digest}")
    if said.release is not None:
        _require_coordinates(said.release, wanted)
    return said.release


def _require_coordinates(release: Release, wanted: Candidate) -> None:
    if (release.name, release.version) != (wanted.name, wanted.version):
        said, asked = f"{release.name}@{release.version}", f"{wanted.name}@{wanted.version}"
        raise AtomError(codes.COORDINATES_MISMATCH, f"the statement releases {said!r}, asked for is {asked!r}")
    if None not in (release.tenant, wanted.tenant) and release.tenant != wanted.tenant:
        raise AtomError(codes.TENANT_MISMATCH, f"it is for tenant {release.tenant!r}, this is {wanted.tenant!r}")
    if release.created > wanted.now + _CLOCK_SKEW:
        raise AtomError(codes.TIME_OUTSIDE, f"the statement says {release.created.isoformat()}")


def _require_log_binding(parsed: Bundle, key: PublicKey, digest: Digest) -> None:
    """Every log entry that can be read must be about this very signature by this very key."""
    content = parsed.content
    for entry in parsed.log_entries:
        recorded = entry.recorded
        if recorded is None:
            continue
        if recorded.sha256 != _logged_digest(content, entry.kind, digest):
            raise AtomError(codes.LOG_MISMATCH, f"log entry {entry.index} records another digest")
        if recorded.signature != content.signature:
            raise AtomError(codes.LOG_MISMATCH, f"log entry {entry.index} records another signature")
        if recorded.spki != key.spki:
            raise AtomError(codes.LOG_MISMATCH, f"log entry {entry.index} records another key")


def _logged_digest(content: Content, kind: str, digest: Digest) -> bytes:
    """What an entry of this kind records: the artifact, an envelope's payload, or (over an envelope) what is signed."""
    if isinstance(content, MessageSignature):
        return raw_digest(digest)
    return sha256(content.payload if kind == "dsse" else content.signed_bytes)
