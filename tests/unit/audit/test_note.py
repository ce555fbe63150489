"""Signed notes and verifier keys as others write and read them."""

from __future__ import annotations

import base64
import datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from atomctl.audit import codes
from atomctl.audit.keys import FileKey
from atomctl.audit.note import KeyType, VerifierKey, cosigned_at, parse_note, parse_vkey, sign_note, signed_by
from atomctl.errors import AtomError

# The example of the Go implementation's documentation, golang.org/x/mod/sumdb/note.
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
SIGNER = FileKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
KEY = VerifierKey("example.org/log", SIGNER.public)


def test_a_note_signed_by_another_implementation_is_verified() -> None:
    assert signed_by(parse_note(GO_NOTE), parse_vkey(GO_KEY))


def test_a_verifier_key_is_written_as_it_was_read() -> None:
    assert str(parse_vkey(GO_KEY)) == GO_KEY
    assert parse_vkey(str(KEY)) == KEY


def test_a_changed_text_is_not_signed() -> None:
    assert not signed_by(parse_note(GO_NOTE.replace(b"answer", b"remedy")), parse_vkey(GO_KEY))


def test_what_is_signed_here_is_verified_here_and_comes_out_the_same_twice() -> None:
    note = sign_note("one\ntwo\n", KEY.name, SIGNER)
    assert note == sign_note("one\ntwo\n", KEY.name, SIGNER)
    assert signed_by(parse_note(note), KEY)
    assert parse_note(note).text == "one\ntwo\n"


def test_another_key_of_the_same_name_signed_nothing() -> None:
    note = parse_note(sign_note("one\n", KEY.name, SIGNER))
    assert not signed_by(note, VerifierKey(KEY.name, bytes(32)))


def test_signatures_of_others_beside_it_do_no_harm() -> None:
    other = "\u2014 witness AAAAAAAAAAAA\n".encode()
    note = parse_note(sign_note("one\n", KEY.name, SIGNER) + other)
    assert [item.name for item in note.signatures] == [KEY.name, "witness"]
    assert signed_by(note, KEY)


def test_a_wrong_signature_beside_a_right_one_of_the_same_key_counts_against_it() -> None:
    forged = base64.b64encode(KEY.key_id + bytes(64)).decode()
    note = parse_note(sign_note("one\n", KEY.name, SIGNER) + f"\u2014 {KEY.name} {forged}\n".encode())
    assert not signed_by(note, KEY)


def test_a_cosignature_says_when_the_witness_saw_the_checkpoint() -> None:
    witness = VerifierKey("witness.example", SIGNER.public, KeyType.COSIGNATURE)
    text, seconds = "log\n1\nAAAA\n", 1_750_000_000
    signature = SIGNER.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    line = base64.b64encode(witness.key_id + seconds.to_bytes(8, "big") + signature).decode()
    note = parse_note(f"{text}\n\u2014 {witness.name} {line}\n".encode())
    assert cosigned_at(note, witness) == datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    later = base64.b64encode(witness.key_id + (seconds + 1).to_bytes(8, "big") + signature).decode()
    moved = parse_note(f"{text}\n\u2014 {witness.name} {later}\n".encode())
    assert cosigned_at(moved, witness) is None
    assert cosigned_at(note, KEY) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text without signature\n",
        b"text\n\n",
        b"text\n\nnot a signature line\n",
        "text\n\n\u2014 name !!!!\n".encode(),
        "text\n\n\u2014 name AAAA\n".encode(),
        "text\n\n\u2014 name AAAAAAAA".encode(),
        b"\xff\xfe\n\n\n",
        "te\x00xt\n\n\u2014 name AAAAAAAA\n".encode(),
        b"x" * 70_000,
    ],
)
def test_what_is_not_a_note_is_refused(data: bytes) -> None:
    with pytest.raises(AtomError) as caught:
        parse_note(data)
    assert caught.value.code is codes.BAD_NOTE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "name+c74f20a3",
        "na me+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+00000000+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+CRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc",
        "PeterNeumann+c74f20a3+!!!!",
        "PeterNeumann+c74f20a3+",
    ],
)
def test_what_is_not_a_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(AtomError) as caught:
        parse_vkey(text)
    assert caught.value.code is codes.BAD_KEY


@pytest.mark.parametrize("text", ["no newline", "tab\tinside\n"])
def test_a_text_that_no_note_may_hold_is_not_signed(text: str) -> None:
    with pytest.raises(AtomError) as caught:
        sign_note(text, KEY.name, SIGNER)
    assert caught.value.code is codes.BAD_NOTE
