"""Sigstore's conformance bundles, as far as a verifier of registered keys can judge them.

With a key: the verdict must be the corpus'. With a certificate: every bundle must be refused, a well-formed one with
the code for certificates, whatever its name says, and a malformed one as malformed.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.signing import Author, document, judge, rule

from atomctl.canonical import Digest, digest
from atomctl.errors import Code
from atomctl.trust import codes
from atomctl.trust.formats import keyfile
from atomctl.trust.key_record import KeyRecord
from atomctl.trust.rules import TrustRules
from atomctl.trust.verify import Verdict

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "sigstore"
CASES = sorted(path.name for path in CORPUS.iterdir() if path.is_dir()) if CORPUS.is_dir() else []
MALFORMED = {
    "bundle-empty-certificate-chain_fail",
    "bundle-invalid-base64-signature_fail",
    "bundle-negative-log-index_fail",
}
KEYED = [name for name in CASES if name.startswith("managed-key")]
CERTIFIED = [name for name in CASES if name not in KEYED]

pytestmark = pytest.mark.skipif(
    not CASES, reason="Sigstore's conformance bundles are not at ../shared/corpora/sigstore"
)


def artifact(case: str) -> Digest:
    own = CORPUS / case / "artifact"
    return digest((own if own.exists() else CORPUS / "a.txt").read_bytes())


def verdict(case: str, trust: TrustRules, *keys: KeyRecord, about: Digest | None = None) -> Verdict:
    bundle = (CORPUS / case / "bundle.sigstore.json").read_bytes()
    return judge(bundle, trust=trust, keys=keys, digest=about or artifact(case))


def trusted(case: str) -> tuple[TrustRules, KeyRecord]:
    record = KeyRecord.of(keyfile.load_public((CORPUS / case / "key.pub").read_bytes()), principal="someone")
    signers = [{"key": record.key_id}]
    return document({"names": ["*"], "require": {"any_of": [{"signers": signers}]}}), record


def test_a_bundle_of_a_managed_key_is_accepted_with_that_key() -> None:
    rules, record = trusted("managed-key-and-trusted-root")
    assert verdict("managed-key-and-trusted-root", rules, record).accepted
    swapped = verdict("managed-key-and-trusted-root", rules, record, about=digest(b"something else"))
    assert swapped.code is codes.DIGEST_MISMATCH


def test_a_bundle_of_a_managed_key_is_refused_without_it() -> None:
    rules, record = trusted("managed-key-and-trusted-root")
    assert verdict("managed-key-no-key_fail", rules).code is codes.KEY_UNKNOWN
    stranger = Author("stranger")
    refused = verdict("managed-key-no-key_fail", document(rule(stranger, names=["*"])), stranger.record(), record)
    assert refused.code is codes.KEY_NOT_ALLOWED


@pytest.mark.parametrize("case", CERTIFIED)
def test_a_certificate_is_refused_where_keys_are_demanded(case: str) -> None:
    alice = Author("alice")
    expected: Code = codes.BUNDLE_MALFORMED if case in MALFORMED else codes.CERTIFICATE_REFUSED
    assert verdict(case, document(rule(alice, names=["*"])), alice.record()).code is expected
