"""Signed notes and verifier keys, as C2SP signed-note (https://c2sp.org/signed-note) defines them.

A note is a text that ends in a newline, an empty line, and signature lines: EM DASH, space, key name, space,
base64(4-byte key id | signature). A verifier key is written `name+hex8+base64(type | public key)`.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol, assert_never

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from atomctl.audit.codes import BAD_KEY, BAD_NOTE
from atomctl.canonical import sha256
from atomctl.errors import AtomError

_LIMIT = 64 * 1024
_SIGNATURE_LINE = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+=*)")
_NAME = re.compile(r"[^\s+]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class Signer(Protocol):
    """An Ed25519 key that signs; where it lies is its own affair."""

    @property
    def public(self) -> bytes:
        """The 32 bytes of the public key."""

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""


class KeyType(enum.IntEnum):
    """The signature types of C2SP signed-note that are read here."""

    ED25519 = 0x01
    COSIGNATURE = 0x04
    """A witness's signature with its time, C2SP tlog-cosignature."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name it signs under.

    Raises:
        AtomError: AUD715 the name is empty or holds a space or plus, or the key has not 32 bytes.
    """

    name: str
    public: bytes
    type: KeyType = KeyType.ED25519

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise AtomError(BAD_KEY, f"a key name has no spaces and no plus, got {self.name!r}")
        if len(self.public) != 32:
            raise AtomError(BAD_KEY, f"an Ed25519 key has 32 bytes, this one {len(self.public)}")

    @property
    def key_id(self) -> bytes:
        """SHA-256(name | 0A | type | key), its first four bytes."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public)[:4]

    def __str__(self) -> str:
        key = base64.b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line, not verified."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its signatures, not verified."""

    text: str
    signatures: tuple[NoteSignature, ...]


def parse_vkey(text: str) -> VerifierKey:
    """Reads a verifier key.

    Raises:
        AtomError: AUD715 it has another form, an unknown type, or a hash that does not belong to it.
    """
    try:
        name, key_hash, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        key = VerifierKey(name, raw[1:], KeyType(raw[0]))
    except (ValueError, IndexError) as error:
        raise AtomError(BAD_KEY, f"not a verifier key: {text[:100]!r}") from error
    if key.key_id.hex() != key_hash:
        raise AtomError(BAD_KEY, f"the key {name} has the hash {key.key_id.hex()}, not {key_hash[:20]}")
    return key


def parse_note(data: bytes) -> Note:
    """Reads a signed note; no signature is verified.

    Raises:
        AtomError: AUD717 it is not a note, has no signature line, or is larger than 64 KiB.
    """
    if len(data) > _LIMIT:
        raise AtomError(BAD_NOTE, f"a note of {len(data)} bytes; at most {_LIMIT} are read")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise AtomError(BAD_NOTE, "the note is not UTF-8") from error
    body, separator, tail = whole.rpartition("\n\n")
    if not separator or not body or not tail.endswith("\n") or _CONTROL.search(whole):
        raise AtomError(BAD_NOTE, "the note has no text, empty line and signatures")
    return Note(body + "\n", tuple(_parse_signature(line) for line in tail[:-1].split("\n")))


def _parse_signature(line: str) -> NoteSignature:
    match = _SIGNATURE_LINE.fullmatch(line)
    try:
        raw = base64.b64decode(match[2], validate=True) if match else b""
    except binascii.Error:
        raw = b""
    if match is None or len(raw) < 5:
        raise AtomError(BAD_NOTE, f"not a signature line: {line[:100]!r}")
    return NoteSignature(match[1], raw[:4], raw[4:])


def sign_note(text: str, name: str, signer: Signer) -> bytes:
    """The note with one Ed25519 signature; the same text and key give the same bytes.

    Raises:
        AtomError: AUD717 the text does not end in a newline or holds control characters.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise AtomError(BAD_NOTE, "a note's text ends in a newline and has no control characters")
    key = VerifierKey(name, signer.public)
    line = base64.b64encode(key.key_id + signer.sign(text.encode())).decode()
    return f"{text}\n\u2014 {name} {line}\n".encode()


def signed_by(note: Note, key: VerifierKey) -> bool:
    """Whether the note carries a signature of `key` and none under its name and id is wrong."""
    found = _signatures_of(note, key)
    return bool(found) and all(_holds(note.text, item, key) for item in found)


def cosigned_at(note: Note, key: VerifierKey) -> datetime.datetime | None:
    """When the witness `key` saw this checkpoint, UTC; None if it did not sign it."""
    if key.type is not KeyType.COSIGNATURE or not signed_by(note, key):
        return None
    seconds = int.from_bytes(_signatures_of(note, key)[0].signature[:8], "big")
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def find_key(keys: Iterable[VerifierKey], name: str) -> VerifierKey | None:
    """The key that signs under `name`."""
    return next((key for key in keys if key.name == name), None)


def _signatures_of(note: Note, key: VerifierKey) -> list[NoteSignature]:
    return [item for item in note.signatures if item.name == key.name and item.key_id == key.key_id]


def _holds(text: str, item: NoteSignature, key: VerifierKey) -> bool:
    match key.type:
        case KeyType.ED25519:
            signature, message = item.signature, text.encode()
        case KeyType.COSIGNATURE:
            seconds, signature = int.from_bytes(item.signature[:8], "big"), item.signature[8:]
            message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
        case _:
            assert_never(key.type)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
