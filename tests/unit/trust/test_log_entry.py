from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from atomctl.trust.formats import log_entry, pem
from atomctl.trust.formats.log_entry import Recorded
from atomctl.trust.formats.strict_json import Fields, MalformedError

SPKI, SIGNATURE, DIGEST = b"the key", b"the signature", bytes(range(32))
PEM = pem.write(pem.PUBLIC, SPKI)
CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def entry(kind: str, version: str, spec: dict[str, Any], **fields: Any) -> Fields:
    body = {"apiVersion": version, "kind": kind, "spec": spec}
    document = {
        "logIndex": "9",
        "logId": {"keyId": text(bytes(32))},
        "kindVersion": {"kind": kind, "version": version},
        "canonicalizedBody": text(json.dumps(body).encode()),
        **fields,
    }
    return Fields(document, "entry")


def hashedrekord(key: bytes = PEM) -> dict[str, Any]:
    return {
        "data": {"hash": {"algorithm": "sha256", "value": DIGEST.hex()}},
        "signature": {"content": text(SIGNATURE), "publicKey": {"content": text(key)}},
    }


def v2(**verifier: Any) -> dict[str, Any]:
    return {"content": text(SIGNATURE), "verifier": verifier}


RAW_KEY = {"publicKey": {"rawBytes": text(SPKI)}, "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
HASH_V2 = {"algorithm": "SHA2_256", "digest": text(DIGEST)}


@pytest.mark.parametrize(
    ("kind", "version", "spec"),
    [
        ("hashedrekord", "0.0.1", hashedrekord()),
        ("hashedrekord", "0.0.2", {"hashedRekordV002": {"data": HASH_V2, "signature": v2(**RAW_KEY)}}),
        (
            "dsse",
            "0.0.1",
            {
                "envelopeHash": {"algorithm": "sha256", "value": "00"},
                "payloadHash": {"algorithm": "sha256", "value": DIGEST.hex()},
                "signatures": [{"signature": text(SIGNATURE), "verifier": text(PEM)}],
            },
        ),
        ("dsse", "0.0.2", {"dsseV002": {"payloadHash": HASH_V2, "signatures": [v2(**RAW_KEY)]}}),
    ],
)
def test_each_kind_of_body_says_what_was_signed_by_which_key(kind: str, version: str, spec: dict[str, Any]) -> None:
    parsed = log_entry.parse(entry(kind, version, spec))
    assert parsed.index == 9
    assert parsed.recorded == Recorded(DIGEST, SIGNATURE, SPKI)


def test_a_certificate_in_the_body_is_no_key() -> None:
    parsed = log_entry.parse(entry("hashedrekord", "0.0.1", hashedrekord(CERTIFICATE)))
    assert parsed.recorded == Recorded(DIGEST, SIGNATURE, None)


def test_a_body_of_another_kind_is_kept_unread() -> None:
    assert log_entry.parse(entry("intoto", "0.0.2", {"anything": 1})).recorded is None


PROOF: dict[str, Any] = {"logIndex": "3", "treeSize": "4", "rootHash": text(bytes(32)), "hashes": [text(bytes(32))]}


def proof(**changed: Any) -> dict[str, Any]:
    return {"inclusionProof": {**PROOF, **changed}}


def test_a_proof_of_the_right_form_is_read() -> None:
    fields = entry("hashedrekord", "0.0.1", hashedrekord(), **proof(checkpoint={"envelope": "log\n4\n"}))
    assert log_entry.parse(fields).index == 9


@pytest.mark.parametrize(
    "fields",
    [
        {"logIndex": "-1"},
        {"logIndex": 1.5},
        {"logIndex": "9" * 30},
        {"integratedTime": "yesterday"},
        {"inclusionPromise": {}},
        {"canonicalizedBody": text(b"no json")},
        {"canonicalizedBody": text(b"[]")},
        {"surprise": 1},
        proof(logIndex="4"),
        proof(rootHash=text(b"short")),
        proof(hashes=["AAAA"]),
        proof(hashes=[text(bytes(32))] * 65),
        proof(more=1),
    ],
)
def test_an_entry_of_the_wrong_form_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        log_entry.parse(entry("hashedrekord", "0.0.1", hashedrekord(), **fields))


Edit = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "edit",
    [
        lambda spec: spec.pop("data"),
        lambda spec: spec["data"]["hash"].update(algorithm="sha1"),
        lambda spec: spec["data"]["hash"].update(value="XY" * 32),
        lambda spec: spec["signature"].pop("content"),
        lambda spec: spec["signature"]["publicKey"].update(content=text(b"no PEM")),
    ],
)
def test_a_body_of_the_wrong_form_is_refused(edit: Edit) -> None:
    spec = hashedrekord()
    edit(spec)
    with pytest.raises(MalformedError):
        log_entry.parse(entry("hashedrekord", "0.0.1", spec))
