"""The statement as a signed document: a DSSE envelope around canonical JSON, signed by the audit log's key.

Envelope and signed bytes are DSSE v1.0.2's, so that others' tools verify it; the payload's schema is
`atom.backup-statement/v1`. The audit key signs it because its verifier key is what auditors keep elsewhere already;
DSSE's prefix keeps the two kinds of signed text apart.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from atomctl.audit.note import Signer, VerifierKey
from atomctl.backup import codes
from atomctl.backup.keys import WrappedKey
from atomctl.backup.lsn import lsn_text, parse_lsn
from atomctl.backup.model import (
    AuditFacts,
    Facts,
    Kind,
    Parent,
    Part,
    Server,
    Span,
    Statement,
    StoredStream,
    Stream,
)
from atomctl.canonical import Json, canonical_json, parse_digest
from atomctl.errors import AtomError
from atomctl.trust.formats.dsse import Envelope

SCHEMA = "atom.backup-statement/v1"
PAYLOAD = "application/vnd.atom.backup-statement+json"
LARGEST = 16 << 20
"""Bytes of a signed statement that is read: 16 MiB name some 80,000 parts, 2.5 TiB."""


def sign(statement: Statement, signer: Signer) -> bytes:
    """The signed statement: the exact bytes that are stored and whose digest names it."""
    payload = canonical_json(to_json(statement))
    unsigned = Envelope(PAYLOAD, payload, b"")
    return canonical_json(Envelope(PAYLOAD, payload, signer.sign(unsigned.signed_bytes)).to_json())


def read_signed(data: bytes, trusted: Sequence[VerifierKey]) -> Statement:
    """The statement, if one of the trusted keys signed it.

    Raises:
        AtomError: BAK006 it is not a statement, or none of the keys signed it.
    """
    envelope = _envelope(data)
    if not any(_signed_by(envelope, key) for key in trusted):
        raise AtomError(codes.STATEMENT_UNTRUSTED, f"none of {len(trusted)} known keys signed the statement")
    try:
        document = json.loads(envelope.payload)
        if document["schema"] != SCHEMA:
            raise ValueError(f"the schema is {document['schema']!r}")
        return from_json(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AtomError(codes.STATEMENT_UNTRUSTED, f"not a statement of {SCHEMA}: {error}") from error


def _envelope(data: bytes) -> Envelope:
    try:
        if len(data) > LARGEST:
            raise ValueError(f"{len(data)} bytes")
        document = json.loads(data)
        (signature,) = document["signatures"]
        payload = base64.b64decode(document["payload"], validate=True)
        signed = base64.b64decode(signature["sig"], validate=True)
        envelope = Envelope(document["payloadType"], payload, signed)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError) as error:
        raise AtomError(codes.STATEMENT_UNTRUSTED, "the statement is not a DSSE envelope with one signature") from error
    if envelope.payload_type != PAYLOAD:
        raise AtomError(codes.STATEMENT_UNTRUSTED, f"the envelope holds {str(envelope.payload_type)[:80]!r}")
    return envelope


def _signed_by(envelope: Envelope, key: VerifierKey) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(envelope.signature, envelope.signed_bytes)
    except InvalidSignature:
        return False
    return True


def to_json(statement: Statement) -> dict[str, Json]:
    """The document `atom.backup-statement/v1`: times in RFC 3339 UTC, LSNs as PostgreSQL writes them."""
    server, facts = statement.server, statement.facts
    return {
        "schema": SCHEMA,
        "id": str(statement.id),
        "kind": statement.kind.value,
        "parent": {"id": str(statement.parent.id), "statement": statement.parent.statement}
        if statement.parent
        else None,
        "started_at": _time(statement.started_at),
        "taken_at": _time(statement.taken_at),
        "server": {
            "version": server.version,
            "system_id": server.system_id,
            "timeline": server.timeline,
            "segment_size": server.segment_size,
            "database": server.database,
        },
        "wal": {
            "start": lsn_text(statement.span.start),
            "end": lsn_text(statement.span.end),
            "marker": statement.span.marker,
        },
        "manifest": statement.manifest,
        "rows": dict(facts.rows),
        "audit": {
            "logs": facts.audit.logs,
            "size": facts.audit.size,
            "root": facts.audit.root,
            "deployment_size": facts.audit.deployment_size,
            "deployment_root": facts.audit.deployment_root,
        },
        "key": {"id": statement.key.key_id, "wrapped": base64.b64encode(statement.key.data).decode()},
        "streams": {name.value: _stream_json(stream) for name, stream in statement.streams.items()},
    }


def _stream_json(stream: StoredStream) -> Json:
    parts: list[Json] = [{"key": part.key, "size": part.size, "digest": part.digest} for part in stream.parts]
    return {"plain": stream.plain, "parts": parts}


def from_json(document: dict[str, Any]) -> Statement:
    """The statement in a document.

    Raises:
        ValueError, KeyError, TypeError: the document has another form.
    """
    server, wal, audit, parent = document["server"], document["wal"], document["audit"], document["parent"]
    return Statement(
        id=UUID(document["id"]),
        kind=Kind(document["kind"]),
        parent=Parent(UUID(parent["id"]), parse_digest(parent["statement"])) if parent else None,
        started_at=_parse_time(document["started_at"]),
        taken_at=_parse_time(document["taken_at"]),
        server=Server(
            int(server["version"]),
            str(server["system_id"]),
            int(server["timeline"]),
            int(server["segment_size"]),
            str(server["database"]),
        ),
        span=Span(parse_lsn(wal["start"]), parse_lsn(wal["end"]), str(wal["marker"])),
        manifest=parse_digest(document["manifest"]),
        facts=Facts(
            {str(table): int(count) for table, count in document["rows"].items()},
            AuditFacts(
                int(audit["logs"]),
                int(audit["size"]),
                parse_digest(audit["root"]),
                int(audit["deployment_size"]),
                str(audit["deployment_root"]),
            ),
        ),
        key=WrappedKey(
            str(document["key"]["id"]),
            base64.b64decode(document["key"]["wrapped"], validate=True),
        ),
        streams={Stream(name): _stream(value) for name, value in document["streams"].items()},
    )


def _stream(value: dict[str, Any]) -> StoredStream:
    parts = (Part(str(part["key"]), int(part["size"]), parse_digest(part["digest"])) for part in value["parts"])
    return StoredStream(tuple(parts), int(value["plain"]))


def _time(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).isoformat()


def _parse_time(text: str) -> datetime.datetime:
    moment = datetime.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"a time without zone: {text!r}")
    return moment.astimezone(datetime.UTC)
