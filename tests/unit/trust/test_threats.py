"""The threats a keyed signature has to withstand, one test each. Every test first sees the honest case accepted."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.fakes.signing import DAY, NOW, PACKAGE, Author, document, judge, rule

from atomctl.canonical import digest, raw_digest, sha256
from atomctl.errors import Code, ExitCode
from atomctl.trust import codes
from atomctl.trust.key_record import KeyRecord, KeyState
from atomctl.trust.rules import TrustRules, narrow
from atomctl.trust.verify import Verdict

Edit = Callable[[dict[str, Any]], None]


def edited(bundle: bytes, edit: Edit) -> bytes:
    parsed = json.loads(bundle)
    edit(parsed)
    return json.dumps(parsed).encode()


def refused(verdict: Verdict, code: Code, exit_: ExitCode | None = None) -> None:
    assert not verdict.accepted
    assert verdict.code is code, f"{verdict.code and verdict.code.id}: {verdict.why}"
    assert exit_ is None or code.exit is exit_


@pytest.fixture
def alice() -> Author:
    return Author("alice")


@pytest.fixture
def mallory() -> Author:
    return Author("mallory")


@pytest.fixture
def trust(alice: Author) -> TrustRules:
    return document(rule(alice))


def test_an_honest_release_is_accepted(alice: Author, trust: TrustRules) -> None:
    verdict = judge(alice.release(), trust=trust, keys=[alice.record()])
    assert verdict.accepted
    assert verdict.code is None
    assert [signature.principal for signature in verdict.signers] == ["alice"]
    verdict.raise_if_refused()


def test_a_package_without_a_bundle_is_unsigned_and_nothing_else(alice: Author, trust: TrustRules) -> None:
    refused(judge(trust=trust, keys=[alice.record()]), codes.UNSIGNED, ExitCode.UNSIGNED)


def test_bytes_swapped_after_signing_are_tampered(alice: Author, trust: TrustRules) -> None:
    swapped = digest(b"other bytes")
    for bundle in (alice.release(), alice.blob()):
        verdict = judge(bundle, trust=trust, keys=[alice.record()], digest=swapped)
        refused(verdict, codes.DIGEST_MISMATCH, ExitCode.TAMPERED)


def test_the_bundle_of_one_package_does_not_vouch_for_another(alice: Author, trust: TrustRules) -> None:
    other = alice.release(digest(b"package B"), name="restart-web")
    refused(judge(other, trust=trust, keys=[alice.record()]), codes.DIGEST_MISMATCH)


def test_a_claimed_digest_cannot_hide_a_signature_over_other_bytes(alice: Author, trust: TrustRules) -> None:
    def claim(bundle: dict[str, Any]) -> None:
        bundle["messageSignature"]["messageDigest"]["digest"] = base64.b64encode(raw_digest(PACKAGE)).decode()

    forged = edited(alice.blob(digest(b"package B")), claim)
    refused(judge(forged, trust=trust, keys=[alice.record()]), codes.SIGNATURE_INVALID, ExitCode.TAMPERED)


def test_a_flipped_byte_anywhere_in_the_payload_is_seen(alice: Author, trust: TrustRules) -> None:
    payload = base64.b64decode(json.loads(alice.release())["dsseEnvelope"]["payload"])

    def flip(bundle: dict[str, Any]) -> None:
        changed = payload.replace(b"1.2.0", b"1.2.1")
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(changed).decode()

    refused(judge(edited(alice.release(), flip), trust=trust, keys=[alice.record()]), codes.SIGNATURE_INVALID)


def test_the_payload_type_is_signed_too(alice: Author, trust: TrustRules) -> None:
    def retype(bundle: dict[str, Any]) -> None:
        bundle["dsseEnvelope"]["payloadType"] = "application/json"

    refused(judge(edited(alice.release(), retype), trust=trust, keys=[alice.record()]), codes.SIGNATURE_INVALID)


def test_a_trusted_hint_does_not_lend_trust_to_another_keys_signature(
    alice: Author, mallory: Author, trust: TrustRules
) -> None:
    def pretend(bundle: dict[str, Any]) -> None:
        bundle["verificationMaterial"]["publicKey"]["hint"] = base64.b64encode(raw_digest(alice.key_id)).decode()

    forged = edited(mallory.release(), pretend)
    verdict = judge(forged, trust=trust, keys=[alice.record(), mallory.record()])
    refused(verdict, codes.SIGNATURE_INVALID, ExitCode.TAMPERED)


def test_an_unregistered_key_is_unknown_not_invalid(alice: Author, mallory: Author, trust: TrustRules) -> None:
    refused(judge(mallory.release(), trust=trust, keys=[alice.record()]), codes.KEY_UNKNOWN, ExitCode.UNTRUSTED)


def test_a_hint_that_is_no_key_id_is_an_unknown_key(alice: Author, trust: TrustRules) -> None:
    for hint in ("alice", "!!!!", base64.b64encode(b"short").decode()):

        def set_hint(bundle: dict[str, Any], hint: str = hint) -> None:
            bundle["verificationMaterial"]["publicKey"]["hint"] = hint

        refused(judge(edited(alice.release(), set_hint), trust=trust, keys=[alice.record()]), codes.KEY_UNKNOWN)


def test_without_a_hint_only_the_rules_own_keys_are_tried(alice: Author, mallory: Author, trust: TrustRules) -> None:
    def drop(bundle: dict[str, Any]) -> None:
        bundle["verificationMaterial"]["publicKey"] = {}

    keys = [mallory.record(), alice.record()]
    assert judge(edited(alice.release(), drop), trust=trust, keys=keys).accepted
    refused(judge(edited(mallory.release(), drop), trust=trust, keys=keys), codes.SIGNATURE_INVALID)


def test_a_key_that_may_sign_another_name_may_not_sign_this_one(alice: Author, mallory: Author) -> None:
    trust = document(rule(alice), rule(mallory, names=["backup-*"]))
    keys = [alice.record(), mallory.record()]
    assert judge(mallory.release(name="backup-db"), trust=trust, keys=keys, name="backup-db").accepted
    refused(judge(mallory.release(), trust=trust, keys=keys), codes.KEY_NOT_ALLOWED, ExitCode.UNTRUSTED)


def test_a_release_for_one_tenant_is_refused_in_another_that_trusts_the_same_key(
    alice: Author, trust: TrustRules
) -> None:
    refused(
        judge(alice.release(tenant="acme"), trust=trust, keys=[alice.record()], tenant="globex"), codes.TENANT_MISMATCH
    )
    assert judge(alice.release(tenant=None), trust=trust, keys=[alice.record()], tenant="globex").accepted


def test_a_raw_key_in_the_certificate_field_is_never_taken(alice: Author, trust: TrustRules) -> None:
    def smuggle(bundle: dict[str, Any]) -> None:
        raw = base64.b64encode(alice.signer.public_key.spki).decode()
        bundle["verificationMaterial"] = {"certificate": {"rawBytes": raw}}

    refused(judge(edited(alice.release(), smuggle), trust=trust, keys=[alice.record()]), codes.CERTIFICATE_REFUSED)


def test_a_certificate_bundle_under_a_key_rule_is_refused_as_such_and_not_as_unsigned(
    alice: Author, trust: TrustRules
) -> None:
    def certify(bundle: dict[str, Any]) -> None:
        bundle["verificationMaterial"] = {"certificate": {"rawBytes": base64.b64encode(b"a certificate").decode()}}

    verdict = judge(edited(alice.blob(), certify), trust=trust, keys=[alice.record()])
    refused(verdict, codes.CERTIFICATE_REFUSED, ExitCode.UNTRUSTED)


@pytest.mark.parametrize(
    "public",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key(),
        ed25519.Ed25519PrivateKey.generate().public_key(),
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        ec.generate_private_key(ec.SECP256K1()).public_key(),
    ],
    ids=["rsa", "ed25519", "p384", "secp256k1"],
)
def test_a_key_of_another_type_is_refused_where_p256_is_expected(alice: Author, public: Any) -> None:
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = KeyRecord(key_id=digest(spki), spki=spki, principal="alice")
    trust = document({"names": ["*"], "require": {"any_of": [{"signers": [{"key": record.key_id}]}]}})

    def point(bundle: dict[str, Any]) -> None:
        bundle["verificationMaterial"]["publicKey"]["hint"] = base64.b64encode(sha256(spki)).decode()

    refused(judge(edited(alice.blob(), point), trust=trust, keys=[record]), codes.KEY_WRONG_TYPE)


def test_key_bytes_kept_under_a_foreign_id_are_refused(alice: Author, mallory: Author, trust: TrustRules) -> None:
    swapped = KeyRecord(key_id=alice.key_id, spki=mallory.signer.public_key.spki, principal="alice")
    refused(judge(alice.release(), trust=trust, keys=[swapped]), codes.KEY_WRONG_TYPE)


def test_a_revoked_key_cannot_backdate_its_signature(alice: Author, trust: TrustRules) -> None:
    record = alice.record(state=KeyState.REVOKED, revoked_from=NOW - 10 * DAY, reason="laptop stolen")
    backdated = alice.release(created=NOW - 300 * DAY)
    verdict = judge(backdated, trust=trust, keys=[record])
    refused(verdict, codes.KEY_REVOKED, ExitCode.UNTRUSTED)
    assert "laptop stolen" in verdict.why


def test_what_was_accepted_before_a_revocation_took_effect_still_holds(alice: Author, trust: TrustRules) -> None:
    record = alice.record(state=KeyState.REVOKED, revoked_from=NOW - 10 * DAY)
    assert judge(alice.release(), trust=trust, keys=[record], accepted_at=NOW - 11 * DAY).accepted
    refused(judge(alice.release(), trust=trust, keys=[record], accepted_at=NOW - 10 * DAY), codes.KEY_REVOKED)


def test_two_bundles_of_one_person_do_not_make_two_people(alice: Author) -> None:
    bob = Author("bob")
    trust = document(rule(alice, bob, threshold=2))
    keys = [alice.record(), bob.record()]
    assert judge(alice.release(), bob.release(), trust=trust, keys=keys).accepted
    once = alice.release()
    for bundles in ((once, once), (once, alice.release()), (once, alice.blob(), alice.release(created=NOW))):
        verdict = judge(*bundles, trust=trust, keys=keys)
        refused(verdict, codes.THRESHOLD_UNMET)
        assert (verdict.threshold.need, verdict.threshold.have) == (2, 1)


def test_one_person_with_two_keys_counts_once(alice: Author) -> None:
    second = Author("alice")
    trust = document(rule(alice, second, threshold=2))
    verdict = judge(alice.release(), second.release(), trust=trust, keys=[alice.record(), second.record()])
    refused(verdict, codes.THRESHOLD_UNMET)


def test_keys_that_belong_to_nobody_count_as_one_stranger() -> None:
    one, two = Author(None), Author(None)
    trust = document(rule(one, two, threshold=2))
    verdict = judge(one.release(), two.release(), trust=trust, keys=[one.record(), two.record()])
    refused(verdict, codes.THRESHOLD_UNMET)


def test_one_person_cannot_stand_in_two_groups(alice: Author) -> None:
    bob = Author("bob")
    groups = [{"signers": [{"key": alice.key_id}, {"key": bob.key_id}]}, {"signers": [{"key": alice.key_id}]}]
    trust = document({"names": ["*"], "require": {"all_of": groups}})
    keys = [alice.record(), bob.record()]
    refused(judge(alice.release(), trust=trust, keys=keys), codes.THRESHOLD_UNMET)
    assert judge(alice.release(), bob.release(), trust=trust, keys=keys).accepted


def test_an_old_vulnerable_version_cannot_be_replayed(alice: Author, trust: TrustRules) -> None:
    keys, highest = [alice.record()], {1: "1.3.0", 2: "2.0.1"}
    verdict = judge(alice.release(), trust=trust, keys=keys, highest_accepted=highest)
    refused(verdict, codes.ROLLBACK, ExitCode.DENIED)
    newer = alice.release(version="1.3.1")
    assert judge(newer, trust=trust, keys=keys, version="1.3.1", highest_accepted=highest).accepted


def test_the_version_inside_must_be_the_one_asked_for(alice: Author, trust: TrustRules) -> None:
    verdict = judge(alice.release(version="1.2.0"), trust=trust, keys=[alice.record()], version="9.9.9")
    refused(verdict, codes.COORDINATES_MISMATCH, ExitCode.TAMPERED)
    verdict = judge(alice.release(name="restart-db"), trust=trust, keys=[alice.record()])
    refused(verdict, codes.COORDINATES_MISMATCH)


def test_an_attestation_of_another_kind_is_not_a_release(alice: Author, trust: TrustRules) -> None:
    provenance = alice.statement(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "restart-web@1.2.0", "digest": {"sha256": raw_digest(PACKAGE).hex()}}],
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": {},
        }
    )
    refused(judge(provenance, trust=trust, keys=[alice.record()]), codes.STATEMENT_TYPE)


def test_duplicate_keys_in_a_signed_statement_are_refused(alice: Author, trust: TrustRules) -> None:
    from atomctl.trust.signers.release import sign_statement

    payload = base64.b64decode(json.loads(alice.release())["dsseEnvelope"]["payload"])
    doubled = payload.replace(b'"version":"1.2.0"', b'"version":"9.9.9","version":"1.2.0"')
    assert doubled != payload
    refused(judge(sign_statement(alice.signer, doubled), trust=trust, keys=[alice.record()]), codes.STATEMENT_MALFORMED)


def test_a_name_without_a_rule_is_refused_whoever_signed(alice: Author, trust: TrustRules) -> None:
    signed = alice.release(name="rotate-secret")
    verdict = judge(signed, trust=trust, keys=[alice.record()], name="rotate-secret")
    refused(verdict, codes.NO_RULE, ExitCode.UNTRUSTED)
    refused(judge(alice.release(), trust=TrustRules(), keys=[alice.record()]), codes.NO_RULE)


def test_a_tenant_cannot_widen_what_the_platform_sets(alice: Author, mallory: Author) -> None:
    platform, tenant = document(rule(alice, names=["*"])), document(rule(mallory))
    keys = [alice.record(), mallory.record()]
    refused(judge(mallory.release(), trust=narrow(platform, tenant), keys=keys), codes.KEY_NOT_ALLOWED)
    beyond = document(rule(alice, names=["backup-*"]))
    refused(judge(mallory.release(), trust=narrow(beyond, tenant), keys=keys), codes.NO_RULE)


def test_a_tenant_may_demand_more_than_the_platform(alice: Author) -> None:
    bob = Author("bob")
    trust = narrow(document(rule(alice, names=["*"])), document(rule(alice, bob, threshold=2)))
    keys = [alice.record(), bob.record()]
    refused(judge(alice.release(), trust=trust, keys=keys), codes.THRESHOLD_UNMET)
    refused(judge(bob.release(), trust=trust, keys=keys), codes.KEY_NOT_ALLOWED)
    assert judge(alice.release(), bob.release(), trust=trust, keys=keys).accepted


def test_a_stripped_log_entry_or_timestamp_is_missed_where_the_rule_demands_it(alice: Author) -> None:
    keys = [alice.record()]
    refused(judge(alice.release(), trust=document(rule(alice, log="required")), keys=keys), codes.LOG_MISSING)
    verdict = judge(alice.release(), trust=document(rule(alice, timestamp="required")), keys=keys)
    refused(verdict, codes.TIMESTAMP_MISSING)


def hashedrekord(about: bytes, signature: bytes, pem: bytes) -> dict[str, Any]:
    """A log entry, as Rekor v1 writes it."""
    body = {
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": about.hex()}},
            "signature": {
                "content": base64.b64encode(signature).decode(),
                "publicKey": {"content": base64.b64encode(pem).decode()},
            },
        },
    }
    return {
        "logIndex": "7",
        "logId": {"keyId": base64.b64encode(bytes(32)).decode()},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
        "integratedTime": "1767810965",
        "canonicalizedBody": base64.b64encode(json.dumps(body).encode()).decode(),
    }


def logged(bundle: bytes, entry: dict[str, Any]) -> bytes:
    return edited(bundle, lambda parsed: parsed["verificationMaterial"].update(tlogEntries=[entry]))


def test_the_log_entry_of_another_artifact_signature_or_key_is_refused(
    alice: Author, mallory: Author, trust: TrustRules
) -> None:
    bundle = alice.blob()
    signature = base64.b64decode(json.loads(bundle)["messageSignature"]["signature"])
    ours, theirs = alice.signer.public_key.to_pem(), mallory.signer.public_key.to_pem()
    about, keys = raw_digest(PACKAGE), [alice.record()]
    assert judge(logged(bundle, hashedrekord(about, signature, ours)), trust=trust, keys=keys).accepted
    for entry in (
        hashedrekord(sha256(b"another artifact"), signature, ours),
        hashedrekord(about, b"another signature", ours),
        hashedrekord(about, signature, theirs),
        hashedrekord(about, signature, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
    ):
        refused(judge(logged(bundle, entry), trust=trust, keys=keys), codes.LOG_MISMATCH, ExitCode.TAMPERED)


def test_a_log_entry_nobody_vouches_for_is_no_evidence(alice: Author) -> None:
    bundle = alice.blob()
    signature = base64.b64decode(json.loads(bundle)["messageSignature"]["signature"])
    entry = hashedrekord(raw_digest(PACKAGE), signature, alice.signer.public_key.to_pem())
    keys = [alice.record()]
    refused(judge(logged(bundle, entry), trust=document(rule(alice, log="required")), keys=keys), codes.LOG_UNKNOWN)
    refused(judge(logged(bundle, entry), trust=document(rule(alice, log="forbidden")), keys=keys), codes.LOG_FORBIDDEN)


def test_a_timestamp_nobody_vouches_for_is_no_evidence(alice: Author) -> None:
    def stamp(bundle: dict[str, Any]) -> None:
        stamps = {"rfc3161Timestamps": [{"signedTimestamp": base64.b64encode(b"stamp").decode()}]}
        bundle["verificationMaterial"]["timestampVerificationData"] = stamps

    stamped, keys = edited(alice.release(), stamp), [alice.record()]
    demanded, forbidden = (document(rule(alice, timestamp=word)) for word in ("required", "forbidden"))
    refused(judge(stamped, trust=demanded, keys=keys), codes.TIMESTAMP_UNTRUSTED)
    refused(judge(stamped, trust=forbidden, keys=keys), codes.LOG_FORBIDDEN)


def test_json_bombs_in_bundles_are_refused_unread(alice: Author, trust: TrustRules) -> None:
    deep = b'{"mediaType":' + b"[" * 200_000 + b"]" * 200_000 + b"}"
    huge = b'{"mediaType":"' + b"a" * 600_000 + b'"}'
    for bomb in (deep, huge):
        refused(judge(bomb, trust=trust, keys=[alice.record()]), codes.BUNDLE_TOO_LARGE)
    many = [alice.release() + b" " * n for n in range(33)]
    refused(judge(*many, trust=trust, keys=[alice.record()]), codes.BUNDLE_TOO_LARGE)


def test_junk_beside_enough_good_bundles_is_reported_and_does_not_refuse(alice: Author, trust: TrustRules) -> None:
    verdict = judge(b"junk", alice.release(), trust=trust, keys=[alice.record()])
    assert verdict.accepted
    assert [rejected.code for rejected in verdict.rejected] == [codes.BUNDLE_MALFORMED]


def test_no_environment_variable_makes_an_unsigned_package_trusted(
    trust: TrustRules, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ATOM_DEV", "ATOM_TRUST", "ATOM_TRUST_MODE", "COSIGN_EXPERIMENTAL", "ATOM_INSECURE"):
        monkeypatch.setenv(name, "1")
    refused(judge(trust=trust), codes.UNSIGNED)


def test_a_second_signature_in_one_envelope_is_refused(alice: Author, trust: TrustRules) -> None:
    def double(bundle: dict[str, Any]) -> None:
        bundle["dsseEnvelope"]["signatures"] *= 2

    refused(judge(edited(alice.release(), double), trust=trust, keys=[alice.record()]), codes.BUNDLE_MALFORMED)


def test_a_signature_over_the_payload_alone_is_not_one_over_the_envelope(alice: Author, trust: TrustRules) -> None:
    def resign(bundle: dict[str, Any]) -> None:
        payload = base64.b64decode(bundle["dsseEnvelope"]["payload"])
        bare = alice.signer.sign_digest(sha256(payload))
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64.b64encode(bare).decode()

    refused(judge(edited(alice.release(), resign), trust=trust, keys=[alice.record()]), codes.SIGNATURE_INVALID)


def test_a_release_from_the_future_is_refused(alice: Author, trust: TrustRules) -> None:
    refused(judge(alice.release(created=NOW + DAY), trust=trust, keys=[alice.record()]), codes.TIME_OUTSIDE)


def test_sha1_signatures_do_not_verify(alice: Author, trust: TrustRules) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    from atomctl.trust.signers import FileSigner

    weak = Author("alice", FileSigner(key))

    def resign(bundle: dict[str, Any]) -> None:
        signature = key.sign(b"the package", ec.ECDSA(hashes.SHA1()))
        bundle["messageSignature"]["signature"] = base64.b64encode(signature).decode()

    refused(
        judge(edited(weak.blob(), resign), trust=document(rule(weak)), keys=[weak.record()]), codes.SIGNATURE_INVALID
    )
