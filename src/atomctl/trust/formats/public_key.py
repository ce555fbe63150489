"""Public keys: the one accepted type, its id, and the check of a signature.

A key's id is the SHA-256 of its SubjectPublicKeyInfo in DER, which is also what Sigstore's key hint encodes. Only ECDSA
on P-256 with SHA-256 is accepted: one algorithm leaves nothing to confuse.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from atomctl.canonical import Digest, digest
from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats import pem

_PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
_HASHING = ec.ECDSA(hashes.SHA256())
_HEADER = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
"""What every P-256 SubjectPublicKeyInfo begins with in DER, the mark of an uncompressed point included (RFC 5480).

One key has this one encoding and no other, so it has one id.
"""
_COORDINATE = 32
_LENGTH = len(_HEADER) + 2 * _COORDINATE
_SPKI_LIMIT = 4096


class Algorithm(enum.StrEnum):
    """Signature algorithms that keys may be registered with."""

    ECDSA_P256_SHA256 = "ecdsa-p256-sha256"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A P-256 public key; equal if its DER is equal."""

    spki: bytes
    """SubjectPublicKeyInfo, DER, named curve."""
    key_id: Digest
    algorithm: Algorithm
    _key: ec.EllipticCurvePublicKey = field(repr=False, compare=False)

    def verify(self, signature: bytes, message: bytes) -> bool:
        """Whether `signature` (ASN.1 DER) is this key's over the SHA-256 of `message`."""
        return self._holds(signature, message, _HASHING)

    def verify_digest(self, signature: bytes, sha256: bytes) -> bool:
        """Whether `signature` (ASN.1 DER) is this key's over the 32 bytes of a SHA-256."""
        return self._holds(signature, sha256, _PREHASHED)

    def _holds(self, signature: bytes, data: bytes, algorithm: ec.ECDSA) -> bool:
        try:
            self._key.verify(signature, data, algorithm)
        except InvalidSignature:
            return False
        return True

    def to_pem(self) -> bytes:
        """The key as one PEM block `PUBLIC KEY`, as cosign writes it."""
        return pem.write(pem.PUBLIC, self.spki)


def of(key: ec.EllipticCurvePublicKey) -> PublicKey:
    """The public key behind an elliptic curve key.

    Raises:
        AtomError: TRU104 it is on another curve than P-256.
    """
    if not isinstance(key.curve, ec.SECP256R1):
        raise AtomError(codes.KEY_TYPE, f"an elliptic curve key on {key.curve.name}, P-256 (secp256r1) is expected")
    numbers = key.public_numbers()
    spki = _HEADER + numbers.x.to_bytes(_COORDINATE) + numbers.y.to_bytes(_COORDINATE)
    return PublicKey(spki, digest(spki), Algorithm.ECDSA_P256_SHA256, key)


@functools.lru_cache(maxsize=1024)  # the same few keys verify thousands of bundles
def load_spki(spki: bytes) -> PublicKey:
    """The key in a SubjectPublicKeyInfo.

    Raises:
        AtomError: TRU105 it is none, or not in its one DER form; TRU104 a key of another type or curve.
    """
    if len(spki) != _LENGTH or not spki.startswith(_HEADER):
        raise _not_p256(spki)
    try:
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), spki[len(_HEADER) - 1 :])
    except ValueError as error:
        raise AtomError(codes.PUBLIC_KEY_MALFORMED, "the key is no point on the curve P-256") from error
    return PublicKey(spki, digest(spki), Algorithm.ECDSA_P256_SHA256, key)


def _not_p256(spki: bytes) -> AtomError:
    """What the bytes are instead; only here is a general parser worth its import of 25 ms."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    if len(spki) > _SPKI_LIMIT:
        return AtomError(codes.KEY_TYPE, f"a public key of {len(spki)} bytes, P-256 has {_LENGTH}")
    try:
        key = load_der_public_key(spki)
    except UnsupportedAlgorithm as error:
        return AtomError(codes.KEY_TYPE, f"a public key of a type that is not supported: {error}")
    except ValueError:
        return AtomError(codes.PUBLIC_KEY_MALFORMED, "no SubjectPublicKeyInfo can be read")
    if not isinstance(key, ec.EllipticCurvePublicKey):
        kind = type(key).__name__.removesuffix("PublicKey").lstrip("_")
        return AtomError(codes.KEY_TYPE, f"a public key of type {kind}, ECDSA on P-256 is expected")
    if not isinstance(key.curve, ec.SECP256R1):
        return AtomError(codes.KEY_TYPE, f"an elliptic curve key on {key.curve.name}, P-256 (secp256r1) is expected")
    return AtomError(codes.PUBLIC_KEY_MALFORMED, "the key is not in its one DER form (named curve, uncompressed)")
