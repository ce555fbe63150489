"""The signed statement: read back as it was, and by nobody's word but a trusted key's."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.fakes.statements import MakeStatement

from atomctl.audit.keys import FileKey
from atomctl.backup import codes
from atomctl.backup.document import PAYLOAD, from_json, read_signed, sign, to_json
from atomctl.backup.model import Parent
from atomctl.canonical import canonical_json, digest
from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.trust.formats.dsse import Envelope


def refused(data: bytes, signer: FileKey) -> str:
    with pytest.raises(AtomError) as caught:
        read_signed(data, [signer.vkey])
    assert caught.value.code is codes.STATEMENT_UNTRUSTED
    return caught.value.why


def resigned(document: Any, signer: FileKey, kind: str = PAYLOAD) -> bytes:
    """The document under a good signature."""
    payload = json.dumps(document).encode()
    envelope = Envelope(kind, payload, signer.sign(Envelope(kind, payload, b"").signed_bytes))
    return canonical_json(envelope.to_json())


def test_a_statement_is_read_back_as_it_was(make_statement: MakeStatement, signer: FileKey) -> None:
    for parent in (None, Parent(new_id(), digest(b"parent"))):
        statement = make_statement(parent=parent)
        assert read_signed(sign(statement, signer), [signer.vkey]) == statement


def test_the_same_statement_is_the_same_bytes(make_statement: MakeStatement, signer: FileKey) -> None:
    statement = make_statement()
    assert sign(statement, signer) == sign(statement, signer)


def test_another_key_does_not_vouch(make_statement: MakeStatement, signer: FileKey) -> None:
    stranger = FileKey(Ed25519PrivateKey.generate())
    refused(sign(make_statement(), stranger), signer)
    with pytest.raises(AtomError):
        read_signed(sign(make_statement(), signer), [])


def test_any_one_of_the_trusted_keys_vouches(make_statement: MakeStatement, signer: FileKey) -> None:
    stranger = FileKey(Ed25519PrivateKey.generate())
    statement = make_statement()
    assert read_signed(sign(statement, signer), [stranger.vkey, signer.vkey]) == statement


def test_a_flipped_bit_anywhere_is_refused(make_statement: MakeStatement, signer: FileKey) -> None:
    good = sign(make_statement(), signer)
    for at in range(0, len(good), 7):
        changed = bytearray(good)
        changed[at] ^= 2
        refused(bytes(changed), signer)


def test_a_signed_note_of_the_audit_log_is_no_statement(make_statement: MakeStatement, signer: FileKey) -> None:
    statement = to_json(make_statement())
    payload = canonical_json(statement)
    bare = Envelope(PAYLOAD, payload, signer.sign(payload))
    refused(canonical_json(bare.to_json()), signer)
    refused(resigned(statement, signer, "application/vnd.in-toto+json"), signer)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema",), "atom.backup-statement/v2"),
        (("id",), "nonsense"),
        (("kind",), "half"),
        (("taken_at",), "2026-03-01T12:00:00"),
        (("manifest",), "sha256:short"),
        (("wal", "end"), "nowhere"),
        (("server",), None),
        (("streams", "base", "parts"), [{}]),
        (("streams",), {"other": {}}),
        (("key", "wrapped"), "!"),
    ],
    ids=str,
)
def test_a_signed_document_of_another_form_is_refused(
    make_statement: MakeStatement, signer: FileKey, path: tuple[str, ...], value: Any
) -> None:
    document: dict[str, Any] = to_json(make_statement())
    place = document
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    refused(resigned(document, signer), signer)


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"null", b"[" * 100_000, b'{"payload": 1, "payloadType": 2, "signatures": [{"sig": 3}]}'],
)
def test_what_is_no_envelope_is_refused(signer: FileKey, data: bytes) -> None:
    refused(data, signer)


def test_the_payload_is_canonical_json_under_a_published_type(make_statement: MakeStatement, signer: FileKey) -> None:
    statement = make_statement()
    envelope = json.loads(sign(statement, signer))
    payload = base64.b64decode(envelope["payload"])
    assert envelope["payloadType"] == PAYLOAD
    assert payload == canonical_json(to_json(statement))
    assert from_json(json.loads(payload)) == statement
