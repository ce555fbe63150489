from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.signing import PACKAGE, Author

from atomctl.canonical import raw_digest
from atomctl.errors import AtomError, Code
from atomctl.trust import codes
from atomctl.trust.formats import bundle, dsse
from atomctl.trust.formats.bundle import Certificates, KeyHint, MessageSignature

ALICE = Author("alice")


def refusal(data: bytes) -> Code:
    with pytest.raises(AtomError) as caught:
        bundle.parse(data)
    return caught.value.code


def document(data: bytes) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(data)
    return parsed


def text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def test_what_is_written_is_read_back() -> None:
    signed = bundle.parse(ALICE.release())
    assert signed.material == KeyHint(text(raw_digest(ALICE.key_id)))
    assert isinstance(signed.content, dsse.Envelope)
    data = ALICE.blob()
    signature = base64.b64decode(document(data)["messageSignature"]["signature"])
    assert bundle.parse(data).content == MessageSignature(raw_digest(PACKAGE), signature)


def test_a_written_bundle_is_version_0_3_with_the_keys_hint() -> None:
    written = document(ALICE.blob())
    assert written["mediaType"] == "application/vnd.dev.sigstore.bundle.v0.3+json"
    assert written["verificationMaterial"]["publicKey"]["hint"] == text(raw_digest(ALICE.key_id))
    assert written["messageSignature"]["messageDigest"] == {
        "algorithm": "SHA2_256",
        "digest": text(raw_digest(PACKAGE)),
    }


@pytest.mark.parametrize("version", ["0.4", "1.0", "0.3.1"])
def test_a_newer_version_is_unsupported_and_not_malformed(version: str) -> None:
    changed = document(ALICE.blob()) | {"mediaType": f"application/vnd.dev.sigstore.bundle.v{version}+json"}
    assert refusal(json.dumps(changed).encode()) is codes.BUNDLE_VERSION


def test_certificates_of_every_version_are_parsed_structurally() -> None:
    written = document(ALICE.blob())
    leaf = {"certificate": {"rawBytes": text(b"leaf")}}
    chain = {"x509CertificateChain": {"certificates": [{"rawBytes": text(b"leaf")}, {"rawBytes": text(b"root")}]}}
    new = json.dumps(written | {"verificationMaterial": leaf}).encode()
    old_type = {"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.1"}
    old = json.dumps(written | old_type | {"verificationMaterial": chain}).encode()
    assert bundle.parse(new).material == Certificates((b"leaf",))
    assert bundle.parse(old).material == Certificates((b"leaf", b"root"))
    assert refusal(json.dumps(written | old_type | {"verificationMaterial": leaf}).encode()) is codes.BUNDLE_MALFORMED


Edit = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.pop("mediaType"),
        lambda d: d.update(mediaType=3),
        lambda d: d.pop("verificationMaterial"),
        lambda d: d.update(verificationMaterial=[]),
        lambda d: d["verificationMaterial"].pop("publicKey"),
        lambda d: d["verificationMaterial"].update(certificate={"rawBytes": "AAAA"}),
        lambda d: d["verificationMaterial"].update(surprise=1),
        lambda d: d["verificationMaterial"].update(tlogEntries={}),
        lambda d: d["verificationMaterial"].update(tlogEntries=[{}]),
        lambda d: d["verificationMaterial"].update(tlogEntries=[1]),
        lambda d: d["verificationMaterial"].update(timestampVerificationData={"rfc3161Timestamps": [{}]}),
        lambda d: d["verificationMaterial"]["publicKey"].update(rawBytes="AAAA"),
        lambda d: d.pop("messageSignature"),
        lambda d: d.update(dsseEnvelope={}),
        lambda d: d["messageSignature"].update(signature="not base64!"),
        lambda d: d["messageSignature"].update(signature="AAA"),
        lambda d: d["messageSignature"].update(signature="AB=="),
        lambda d: d["messageSignature"].update(signature="A" * 4000),
        lambda d: d["messageSignature"]["messageDigest"].update(algorithm="SHA1"),
        lambda d: d["messageSignature"]["messageDigest"].update(digest="AAAA"),
        lambda d: d.update(surprise=1),
    ],
)
def test_a_bundle_with_a_field_missing_unknown_or_wrong_is_malformed(edit: Edit) -> None:
    changed = document(ALICE.blob())
    edit(changed)
    assert refusal(json.dumps(changed).encode()) is codes.BUNDLE_MALFORMED


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'"bundle"',
        b"{",
        b"\xff\xfe{}",
        b'\xef\xbb\xbf{"mediaType":"x"}',
        b'{"mediaType":NaN}',
        b'{"mediaType":Infinity}',
        b'{"mediaType":"a","mediaType":"b"}',
        b'{"mediaType":' + b"9" * 5000 + b"}",
        b"{} {}",
    ],
)
def test_what_is_not_strict_json_is_malformed(data: bytes) -> None:
    assert refusal(data) is codes.BUNDLE_MALFORMED


def test_duplicate_keys_deep_inside_are_found() -> None:
    doubled = ALICE.blob().replace(b'"hint":', b'"hint":"x","hint":')
    assert doubled != ALICE.blob()
    assert refusal(doubled) is codes.BUNDLE_MALFORMED


@pytest.mark.parametrize("half", ["\\ud800", "a\\udfff"])
def test_half_a_surrogate_pair_is_refused_where_it_is_read(half: str) -> None:
    data = ALICE.release().replace(b"application/vnd.in-toto+json", half.encode())
    assert refusal(data) is codes.BUNDLE_MALFORMED


def test_an_unknown_field_cannot_write_to_the_terminal() -> None:
    with pytest.raises(AtomError) as caught:
        bundle.parse(ALICE.blob().replace(b'"mediaType"', b'"\\u001b[2J":1,"mediaType"'))
    assert "\x1b" not in caught.value.why


def test_brackets_inside_strings_do_not_count_as_depth() -> None:
    changed = document(ALICE.blob())
    changed["verificationMaterial"]["publicKey"]["hint"] = '[[[[{{{{"\\' * 20
    assert bundle.parse(json.dumps(changed).encode()).material == KeyHint('[[[[{{{{"\\' * 20)


def test_an_empty_certificate_chain_is_malformed() -> None:
    changed = document(ALICE.blob()) | {"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2"}
    changed["verificationMaterial"] = {"x509CertificateChain": {"certificates": []}}
    assert refusal(json.dumps(changed).encode()) is codes.BUNDLE_MALFORMED


def test_the_pre_authentication_encoding_is_the_specifications_example() -> None:
    assert dsse.pae("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_the_encoding_counts_bytes_and_not_characters() -> None:
    assert dsse.pae("ä", b"") == b"DSSEv1 2 \xc3\xa4 0 "
