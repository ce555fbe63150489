from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

import pytest
from tests.fakes.signing import DAY, NOW, PACKAGE, Author, document, judge, rule

from atomctl.canonical import canonical_json, raw_digest, sha256
from atomctl.errors import AtomError, Code
from atomctl.trust import codes
from atomctl.trust.formats import bundle, dsse
from atomctl.trust.key_record import KeyState
from atomctl.trust.verify import Verdict

ALICE, BOB, CAROL = Author("alice"), Author("bob"), Author("carol")
KEYS = [ALICE.record(), BOB.record(), CAROL.record()]


def refused(verdict: Verdict, code: Code) -> None:
    assert not verdict.accepted
    assert verdict.code is code, f"{verdict.code and verdict.code.id}: {verdict.why}"


def group(*authors: Author, threshold: int = 1) -> dict[str, object]:
    return {"threshold": threshold, "signers": [{"key": author.key_id} for author in authors]}


def test_a_plain_blob_signature_is_accepted() -> None:
    verdict = judge(ALICE.blob(), trust=document(rule(ALICE)), keys=KEYS)
    assert verdict.accepted
    assert verdict.signers[0].created is None


def test_cosigns_own_statement_is_accepted_for_the_digest_it_names() -> None:
    said = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": PACKAGE.removeprefix("sha256:")}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }
    assert judge(ALICE.statement(said), trust=document(rule(ALICE)), keys=KEYS).accepted
    said["subject"] = [{"digest": {"sha256": "0" * 64}}]
    refused(judge(ALICE.statement(said), trust=document(rule(ALICE)), keys=KEYS), codes.DIGEST_MISMATCH)


def test_any_of_is_satisfied_by_one_group() -> None:
    trust = document({"names": ["*"], "require": {"any_of": [group(ALICE, BOB, threshold=2), group(CAROL)]}})
    assert judge(CAROL.release(), trust=trust, keys=KEYS).accepted
    assert judge(ALICE.release(), BOB.release(), trust=trust, keys=KEYS).accepted
    verdict = judge(ALICE.release(), trust=trust, keys=KEYS)
    refused(verdict, codes.THRESHOLD_UNMET)


def test_all_of_needs_every_group() -> None:
    trust = document({"names": ["*"], "require": {"all_of": [group(ALICE, BOB), group(CAROL)]}})
    refused(judge(ALICE.release(), BOB.release(), trust=trust, keys=KEYS), codes.THRESHOLD_UNMET)
    verdict = judge(BOB.release(), CAROL.release(), trust=trust, keys=KEYS)
    assert verdict.accepted
    assert (verdict.threshold.need, verdict.threshold.have) == (2, 2)


def test_thresholds_mix_kinds_of_signature() -> None:
    trust = document(rule(ALICE, BOB, threshold=2))
    assert judge(ALICE.release(), BOB.blob(), trust=trust, keys=KEYS).accepted


def test_the_order_of_bundles_and_keys_does_not_matter() -> None:
    trust, bundles = document(rule(ALICE, BOB, threshold=2)), [ALICE.release(), BOB.release(), b"junk"]
    forward = judge(*bundles, trust=trust, keys=KEYS)
    backward = judge(*reversed(bundles), trust=trust, keys=KEYS[::-1])
    assert forward.accepted
    assert backward.accepted
    assert {signature.key_id for signature in forward.signers} == {signature.key_id for signature in backward.signers}


def test_the_gravest_of_several_reasons_is_reported() -> None:
    stranger = Author("stranger")
    tampered = BOB.release().replace(b'"sig":"M', b'"sig":"N')
    trust = document(rule(ALICE, BOB))
    verdict = judge(stranger.release(), b"junk", tampered, trust=trust, keys=KEYS)
    refused(verdict, codes.SIGNATURE_INVALID)
    listed = {rejected.code for rejected in verdict.rejected}
    assert listed == {codes.KEY_UNKNOWN, codes.BUNDLE_MALFORMED, codes.SIGNATURE_INVALID}


def test_a_version_below_the_floor_is_refused() -> None:
    trust = document(rule(ALICE, min_version="1.3.0"))
    refused(judge(ALICE.release(), trust=trust, keys=KEYS), codes.BELOW_MINIMUM)
    assert judge(ALICE.release(version="1.3.0"), trust=trust, keys=KEYS, version="1.3.0").accepted
    before = ALICE.release(version="1.3.0-rc.1")
    refused(judge(before, trust=trust, keys=KEYS, version="1.3.0-rc.1"), codes.BELOW_MINIMUM)


def test_a_maintenance_release_of_an_older_major_line_is_no_rollback() -> None:
    trust = document(rule(ALICE))
    assert judge(ALICE.release(), trust=trust, keys=KEYS, highest_accepted={2: "2.4.0"}).accepted
    assert judge(ALICE.release(), trust=trust, keys=KEYS, highest_accepted={1: "1.2.0"}).accepted


def test_an_old_release_is_refused_where_age_is_limited() -> None:
    trust = document(rule(ALICE, max_age="30d"))
    assert judge(ALICE.release(created=NOW - 30 * DAY), trust=trust, keys=KEYS).accepted
    refused(judge(ALICE.release(created=NOW - 31 * DAY), trust=trust, keys=KEYS), codes.TOO_OLD)
    refused(judge(ALICE.blob(), trust=trust, keys=KEYS), codes.TIME_MISSING)


def test_keys_hold_only_in_their_time() -> None:
    trust = document(rule(ALICE))
    later, ended = ALICE.record(valid_from=NOW + DAY), ALICE.record(valid_to=NOW)
    refused(judge(ALICE.release(), trust=trust, keys=[later]), codes.KEY_NOT_YET_VALID)
    refused(judge(ALICE.release(), trust=trust, keys=[ended]), codes.KEY_EXPIRED)
    assert judge(ALICE.release(), trust=trust, keys=[ended], accepted_at=NOW - DAY).accepted


def test_a_retired_key_holds_for_what_was_accepted_before() -> None:
    trust = document(rule(ALICE))
    retired = ALICE.record(state=KeyState.RETIRED, valid_to=NOW - 5 * DAY)
    assert judge(ALICE.release(), trust=trust, keys=[retired], accepted_at=NOW - 6 * DAY).accepted
    refused(judge(ALICE.release(), trust=trust, keys=[retired], accepted_at=NOW - 5 * DAY), codes.KEY_RETIRED)
    refused(judge(ALICE.release(created=NOW - 50 * DAY), trust=trust, keys=[retired]), codes.KEY_RETIRED)
    undated = ALICE.record(state=KeyState.RETIRED)
    refused(judge(ALICE.release(), trust=trust, keys=[undated], accepted_at=NOW - 6 * DAY), codes.KEY_RETIRED)


def test_a_key_revoked_from_the_beginning_never_holds() -> None:
    revoked = ALICE.record(state=KeyState.REVOKED)
    verdict = judge(ALICE.release(), trust=document(rule(ALICE)), keys=[revoked], accepted_at=NOW - 500 * DAY)
    refused(verdict, codes.KEY_REVOKED)


def test_an_acceptance_before_the_key_was_valid_does_not_count() -> None:
    record = ALICE.record(valid_from=NOW - DAY)
    verdict = judge(ALICE.release(), trust=document(rule(ALICE)), keys=[record], accepted_at=NOW - 2 * DAY)
    refused(verdict, codes.KEY_NOT_YET_VALID)


def test_a_word_that_is_no_state_is_not_active() -> None:
    record = ALICE.record(state="compromised")
    with pytest.raises(ValueError, match="compromised"):
        judge(ALICE.release(), trust=document(rule(ALICE)), keys=[record])


def test_without_a_tenant_the_statements_tenant_is_not_compared() -> None:
    assert judge(ALICE.release(tenant="globex"), trust=document(rule(ALICE)), keys=KEYS, tenant=None).accepted


@pytest.mark.parametrize(
    "edit",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"subject": []},
        {"subject": [{"name": "restart-web@1.2.0", "digest": {"sha512": "00"}}]},
        {"subject": [{"name": "restart-web@1.2.0", "digest": {"sha256": "XY"}}]},
        {"subject": [{"name": "other@1.2.0", "digest": {"sha256": "0" * 64}}]},
        {"predicate": {}},
        {"predicate": None},
        {"surprise": True},
    ],
)
def test_a_signed_statement_that_is_not_understood_is_refused(edit: dict[str, object]) -> None:
    said = json.loads(b64decode(json.loads(ALICE.release())["dsseEnvelope"]["payload"]))
    verdict = judge(ALICE.statement({**said, **edit}), trust=document(rule(ALICE)), keys=KEYS)
    refused(verdict, codes.STATEMENT_MALFORMED)


def test_a_signed_payload_of_another_type_is_no_statement() -> None:
    payload = b'{"_type":"https://in-toto.io/Statement/v1"}'
    signature = ALICE.signer.sign_digest(sha256(dsse.pae("text/plain", payload)))
    data = bundle.write(dsse.Envelope("text/plain", payload, signature), raw_digest(ALICE.key_id))
    refused(judge(data, trust=document(rule(ALICE)), keys=KEYS), codes.STATEMENT_TYPE)


def test_the_record_of_a_verdict_tells_all_and_is_canonical() -> None:
    trust = document(rule(ALICE, BOB, threshold=2, id="two"))
    bundles = [ALICE.release(), b"junk"]
    record: dict[str, Any] = judge(*bundles, trust=trust, keys=KEYS).to_json()
    assert record["schema"] == "atom.verdict/v1"
    assert record["accepted"] is False
    assert record["code"] == "TRU231"
    assert record["rule"] == "tenant/two"
    assert record["threshold"] == {"need": 2, "have": 1}
    assert [signer["principal"] for signer in record["signers"]] == ["alice"]
    assert [rejected["code"] for rejected in record["rejected"]] == ["TRU202"]
    assert canonical_json(record) == canonical_json(judge(*bundles, trust=trust, keys=KEYS).to_json())


def test_a_refusal_raises_its_own_code_and_hint() -> None:
    verdict = judge(trust=document(rule(ALICE)), keys=KEYS)
    with pytest.raises(AtomError) as caught:
        verdict.raise_if_refused()
    assert caught.value.code is codes.UNSIGNED
    assert caught.value.hint == codes.UNSIGNED.hint
