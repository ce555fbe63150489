"""ATOM and the real cosign read each other's key files and accept each other's signatures, offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.fakes.signing import Author, document, judge
from tests.servers.cosign import Cosign, find_cosign

from atomctl.canonical import digest
from atomctl.trust import codes
from atomctl.trust.formats import keyfile
from atomctl.trust.key_record import KeyRecord
from atomctl.trust.rules import TrustRules
from atomctl.trust.signers import FileSigner
from atomctl.trust.signers.release import sign_blob
from atomctl.trust.verify import Verdict

PACKAGE_BYTES = b"the bytes of a package\n"


@pytest.fixture
def cosign(tmp_path: Path) -> Cosign:
    return find_cosign(tmp_path)


def verdict_on(bundle: bytes, public_pem: bytes, data: bytes = PACKAGE_BYTES) -> Verdict:
    record = KeyRecord.of(keyfile.load_public(public_pem), principal="someone")
    trust: TrustRules = document(
        {"names": ["*"], "require": {"any_of": [{"signers": [{"key": record.key_id}]}]}},
    )
    return judge(bundle, trust=trust, keys=[record], digest=digest(data))


def test_cosigns_key_file_opens_here_with_its_password_only(cosign: Cosign) -> None:
    private_pem, public_pem = cosign.generate_key_pair()
    signer = FileSigner.open(private_pem, cosign.password.encode())
    assert signer.public_key == keyfile.load_public(public_pem)
    assert signer.public_key.to_pem() == public_pem


def test_our_key_file_opens_in_cosign(cosign: Cosign) -> None:
    pair = keyfile.generate(cosign.password.encode())
    (cosign.folder / "ours.key").write_bytes(pair.private_pem)
    assert cosign.must("public-key", "--key", "ours.key").encode() == pair.public_pem
    wrong = Cosign(cosign.binary, cosign.folder, "wrong")
    assert wrong.run("public-key", "--key", "ours.key").returncode != 0


def test_cosign_verifies_our_release_bundle_and_sees_tampering(cosign: Cosign) -> None:
    pair = keyfile.generate(cosign.password.encode())
    author = Author("alice", FileSigner.open(pair.private_pem, cosign.password.encode()))
    release = author.release(digest(PACKAGE_BYTES))
    accepted = cosign.verify_blob(pair.public_pem, release, PACKAGE_BYTES)
    assert accepted.returncode == 0, accepted.stderr
    assert cosign.verify_blob(pair.public_pem, release, PACKAGE_BYTES + b"!").returncode != 0
    stranger = Author("mallory")
    assert cosign.verify_blob(stranger.signer.public_key.to_pem(), release, PACKAGE_BYTES).returncode != 0


def test_cosign_verifies_our_blob_bundle(cosign: Cosign) -> None:
    pair = keyfile.generate(cosign.password.encode())
    bundle = sign_blob(FileSigner.open(pair.private_pem, cosign.password.encode()), digest(PACKAGE_BYTES))
    accepted = cosign.verify_blob(pair.public_pem, bundle, PACKAGE_BYTES)
    assert accepted.returncode == 0, accepted.stderr


def test_a_bundle_of_cosigns_sign_blob_is_accepted_here(cosign: Cosign) -> None:
    private_pem, public_pem = cosign.generate_key_pair()
    bundle = cosign.sign_blob(private_pem, PACKAGE_BYTES)
    assert verdict_on(bundle, public_pem).accepted
    assert verdict_on(bundle, public_pem, PACKAGE_BYTES + b"!").code is codes.DIGEST_MISMATCH
    stranger = Author("mallory").signer.public_key.to_pem()
    assert verdict_on(bundle, stranger).code is codes.KEY_UNKNOWN


def test_cosign_signs_with_our_key_file_and_we_accept_it(cosign: Cosign) -> None:
    pair = keyfile.generate(cosign.password.encode())
    assert verdict_on(cosign.sign_blob(pair.private_pem, PACKAGE_BYTES), pair.public_pem).accepted
