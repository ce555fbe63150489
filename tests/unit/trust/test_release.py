from __future__ import annotations

import datetime
import json
from base64 import b64decode
from typing import Any

import pytest
from tests.fakes import packages
from tests.fakes.signing import NOW, Author, document, judge, rule

from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.trust.signers import sign_release
from atomctl.wpk.archive import Packed, unpack

ALICE = Author("alice")


def said(bundle: bytes) -> dict[str, Any]:
    statement: dict[str, Any] = json.loads(b64decode(json.loads(bundle)["dsseEnvelope"]["payload"]))
    return statement


def test_a_release_says_what_the_packages_own_manifest_says() -> None:
    packed = packages.harmless("hello", "1.4.0")
    statement = said(sign_release(ALICE.signer, packed, "acme", NOW))
    assert statement["subject"] == [
        {"name": "hello@1.4.0", "digest": {"sha256": packed.digest.removeprefix("sha256:")}}
    ]
    assert statement["predicateType"] == "https://atomctl.dev/wpk-release/v1"
    assert statement["predicate"] == {
        "tenant": "acme",
        "name": "hello",
        "version": "1.4.0",
        "manifest": digest(unpack(packed.data).manifest_bytes),
        "created": "2026-03-01T12:00:00Z",
    }


def test_times_are_written_in_utc() -> None:
    local = NOW.astimezone(datetime.timezone(datetime.timedelta(hours=2)))
    statement = said(sign_release(ALICE.signer, packages.harmless(), None, local))
    assert statement["predicate"]["created"] == "2026-03-01T12:00:00Z"
    assert "tenant" not in statement["predicate"]


def test_a_signed_package_is_accepted_as_what_it_is() -> None:
    packed = packages.harmless("hello", "1.4.0")
    bundle = sign_release(ALICE.signer, packed, "acme", NOW)
    trust, keys = document(rule(ALICE, names=["hello"])), [ALICE.record()]
    here = {"digest": packed.digest, "name": "hello", "version": "1.4.0"}
    assert judge(bundle, trust=trust, keys=keys, **here).accepted


def test_what_cannot_be_unpacked_is_never_signed() -> None:
    packed = packages.harmless()
    broken = Packed(packed.data[:-512], packed.package)
    with pytest.raises(AtomError):
        sign_release(ALICE.signer, broken, None, NOW)


def test_the_digest_that_is_signed_is_that_of_the_bytes() -> None:
    packed, other = packages.harmless(version="1.0.0"), packages.harmless(version="1.0.1")
    lying = Packed(packed.data, other.package)
    statement = said(sign_release(ALICE.signer, lying, None, NOW))
    assert statement["subject"][0]["digest"]["sha256"] == packed.digest.removeprefix("sha256:")
    assert statement["predicate"]["version"] == "1.0.0"
