from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from nacl.secret import SecretBox

from atomctl.canonical import digest, sha256
from atomctl.errors import AtomError, Code
from atomctl.trust import codes
from atomctl.trust.formats import keyfile, pem, public_key
from atomctl.trust.formats.keyfile import KeyPair
from atomctl.trust.signers import FileSigner

LABEL = "ENCRYPTED SIGSTORE PRIVATE KEY"


@pytest.fixture(scope="module")
def pair() -> KeyPair:
    return keyfile.generate(b"correct horse")


def refusal(code: Code, load: Callable[[], object]) -> AtomError:
    with pytest.raises(AtomError) as caught:
        load()
    assert caught.value.code is code, str(caught.value)
    return caught.value


def rewritten(pair: KeyPair, edit: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(pem.read(pair.private_pem, {LABEL}))
    edit(document)
    return pem.write(LABEL, json.dumps(document).encode())


def test_a_generated_pair_signs_and_verifies(pair: KeyPair) -> None:
    signer = FileSigner.open(pair.private_pem, b"correct horse")
    public = keyfile.load_public(pair.public_pem)
    assert signer.public_key == public
    assert public.key_id == digest(public.spki)
    signature = signer.sign_digest(sha256(b"message"))
    assert public.verify(signature, b"message")
    assert public.verify_digest(signature, sha256(b"message"))
    assert not public.verify(signature, b"another message")
    assert not public.verify(b"not even DER", b"message")


def test_a_key_file_is_what_cosign_writes(pair: KeyPair) -> None:
    document = json.loads(pem.read(pair.private_pem, {LABEL}))
    assert document["kdf"]["params"] == {"N": 65536, "r": 8, "p": 1}
    assert (document["kdf"]["name"], document["cipher"]["name"]) == ("scrypt", "nacl/secretbox")
    assert len(base64.b64decode(document["kdf"]["salt"])) == 32
    assert len(base64.b64decode(document["cipher"]["nonce"])) == 24


def test_the_private_half_shows_neither_in_repr_nor_in_clear(pair: KeyPair) -> None:
    assert "PRIVATE" not in repr(pair)
    signer = FileSigner.open(pair.private_pem, b"correct horse")
    secret = signer._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert secret not in pem.read(pair.private_pem, {LABEL})


def test_an_empty_password_counts_as_a_password() -> None:
    empty = keyfile.generate(b"")
    assert FileSigner.open(empty.private_pem, b"").public_key == keyfile.load_public(empty.public_pem)
    refusal(codes.PASSWORD_WRONG, lambda: keyfile.load_private(empty.private_pem, b" "))


def test_a_wrong_password_is_that_and_nothing_else(pair: KeyPair) -> None:
    refusal(codes.PASSWORD_WRONG, lambda: keyfile.load_private(pair.private_pem, b"wrong horse"))


def test_the_older_label_is_read(pair: KeyPair) -> None:
    old = pair.private_pem.replace(b"SIGSTORE", b"COSIGN")
    assert keyfile.load_private(old, b"correct horse").public_key() is not None


@pytest.mark.parametrize(
    ("field", "value"),
    [("N", 2**30), ("N", 2), ("N", 65537), ("N", 0), ("r", 9), ("r", 2**20), ("p", 2), ("p", 2**20)],
)
def test_scrypt_parameters_off_the_list_are_refused_before_deriving(
    pair: KeyPair, monkeypatch: pytest.MonkeyPatch, field: str, value: int
) -> None:
    def derive(*_: object) -> bytes:
        raise AssertionError("derived")

    monkeypatch.setattr(keyfile, "_derive", derive)
    hostile = rewritten(pair, lambda document: document["kdf"]["params"].update({field: value}))
    refusal(codes.KEYFILE_PARAMETERS, lambda: keyfile.load_private(hostile, b"correct horse"))


@pytest.mark.parametrize(("part", "name"), [("kdf", "pbkdf2"), ("cipher", "none"), ("cipher", "aes-256-gcm")])
def test_another_kdf_or_cipher_is_refused(pair: KeyPair, part: str, name: str) -> None:
    hostile = rewritten(pair, lambda document: document[part].update(name=name))
    refusal(codes.KEYFILE_PARAMETERS, lambda: keyfile.load_private(hostile, b"correct horse"))


@pytest.mark.parametrize(
    "edit",
    [
        lambda d: d.pop("kdf"),
        lambda d: d.pop("cipher"),
        lambda d: d.pop("ciphertext"),
        lambda d: d.update(more=1),
        lambda d: d["kdf"].update(params=[]),
        lambda d: d["kdf"]["params"].update(N="65536 "),
        lambda d: d["kdf"]["params"].update(N=True),
        lambda d: d["kdf"].update(salt=base64.b64encode(b"short").decode()),
        lambda d: d["cipher"].update(nonce=base64.b64encode(bytes(12)).decode()),
        lambda d: d["cipher"].update(nonce="***"),
        lambda d: d.update(ciphertext=7),
    ],
)
def test_a_malformed_key_file_is_refused_as_such(pair: KeyPair, edit: Callable[[dict[str, Any]], object]) -> None:
    refusal(codes.KEYFILE_MALFORMED, lambda: keyfile.load_private(rewritten(pair, edit), b"correct horse"))


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: b"a comment\n" + data,
        lambda data: data + data,
        lambda data: data + b"trailing",
        lambda data: data[: len(data) // 2],
        lambda data: b"",
        lambda data: b"\x00" * 100,
        lambda data: data.replace(b"ENCRYPTED SIGSTORE PRIVATE KEY", b"PRIVATE KEY"),
        lambda data: data.replace(b"\n", b"*\n", 3),
        lambda data: data + b" " * 70_000,
    ],
    ids=["bom", "text before", "two", "text after", "truncated", "empty", "binary", "unencrypted", "junk", "huge"],
)
def test_what_is_not_exactly_one_encrypted_block_is_refused(pair: KeyPair, change: Callable[[bytes], bytes]) -> None:
    refusal(codes.KEYFILE_MALFORMED, lambda: keyfile.load_private(change(pair.private_pem), b"correct horse"))


def test_crlf_line_ends_are_read(pair: KeyPair) -> None:
    crlf = pair.public_pem.replace(b"\n", b"\r\n")
    assert keyfile.load_public(crlf) == keyfile.load_public(pair.public_pem)


def _sealed(der: bytes) -> bytes:
    salt, nonce = bytes(32), bytes(24)
    ciphertext = SecretBox(keyfile._derive(b"", salt, 32768)).encrypt(der, nonce).ciphertext
    document = {
        "kdf": {
            "name": "scrypt",
            "params": {"N": 32768, "r": 8, "p": 1},
            "salt": base64.b64encode(salt).decode(),
        },
        "cipher": {"name": "nacl/secretbox", "nonce": base64.b64encode(nonce).decode()},
        "ciphertext": base64.b64encode(ciphertext).decode(),
    }
    return pem.write(LABEL, json.dumps(document).encode())


def test_an_encrypted_key_of_another_type_is_refused() -> None:
    arguments = (Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    ed = ed25519.Ed25519PrivateKey.generate().private_bytes(*arguments)
    p384 = ec.generate_private_key(ec.SECP384R1()).private_bytes(*arguments)
    p256 = ec.generate_private_key(ec.SECP256R1()).private_bytes(*arguments)
    assert keyfile.load_private(_sealed(p256), b"").curve.name == "secp256r1"
    for der in (ed, p384):
        refusal(codes.KEY_TYPE, lambda der=der: keyfile.load_private(_sealed(der), b""))  # type: ignore[misc]  # bound


def test_an_encrypted_nothing_is_malformed() -> None:
    refusal(codes.KEYFILE_MALFORMED, lambda: keyfile.load_private(_sealed(b"no key"), b""))


def test_a_private_key_is_no_public_key(pair: KeyPair) -> None:
    refusal(codes.PUBLIC_KEY_MALFORMED, lambda: keyfile.load_public(pair.private_pem))
    refusal(codes.PUBLIC_KEY_MALFORMED, lambda: keyfile.load_public(pem.write(pem.PUBLIC, b"not DER")))


def test_one_key_has_one_encoding_and_so_one_id(pair: KeyPair) -> None:
    key = FileSigner.open(pair.private_pem, b"correct horse")._key.public_key()
    compressed = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    header = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    refusal(codes.PUBLIC_KEY_MALFORMED, lambda: public_key.load_spki(header + compressed))


def test_an_oversized_public_key_is_refused_unparsed() -> None:
    refusal(codes.KEY_TYPE, lambda: public_key.load_spki(bytes(5000)))
