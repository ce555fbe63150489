"""Public keys: the one accepted type, its id, and the check of a signature.

A key's id is the SHA-256 of its SubjectPublicKeyInfo in DER, which is also what Sigstore's key hint encodes. Only ECDSA
on P-256 with SHA-256 is accepted: one algorithm leaves nothing to confuse.
"""

from __future__ import annotations

import enum
import functools
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from atomctl.canonical import Digest, digest
from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats import pem

_PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))
_HASHING = ec.ECDSA(hashes.SHA256())
_SPKI_LIMIT = 1024


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
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(spki, digest(spki), Algorithm.ECDSA_P256_SHA256, key)


@functools.lru_cache(maxsize=1024)  # the same few keys verify thousands of bundles
def load_spki(spki: bytes) -> PublicKey:
    """The key in a SubjectPublicKeyInfo.

    Raises:
        AtomError: TRU105 it is none, or not in its one DER form; TRU104 a key of another type or curve.
    """
    if len(spki) > _SPKI_LIMIT:
        raise AtomError(codes.KEY_TYPE, f"a public key of {len(spki)} bytes, P-256 (91 bytes) is expected")
    try:
        key = load_der_public_key(spki)
    except UnsupportedAlgorithm as error:
        raise AtomError(codes.KEY_TYPE, f"a public key of a type that is not supported: {error}") from error
    except ValueError as error:
        raise AtomError(codes.PUBLIC_KEY_MALFORMED, "no SubjectPublicKeyInfo can be read") from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        kind = type(key).__name__.removesuffix("PublicKey").lstrip("_")
        raise AtomError(codes.KEY_TYPE, f"a public key of type {kind}, ECDSA on P-256 is expected")
    loaded = of(key)
    if loaded.spki != spki:  # two encodings of one key would have two ids
        raise AtomError(codes.PUBLIC_KEY_MALFORMED, "the key is not in its one DER form (named curve, uncompressed)")
    return loaded
