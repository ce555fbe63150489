"""Signing with a key file that was read and decrypted into memory."""

from __future__ import annotations

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from atomctl.trust.formats import keyfile, public_key
from atomctl.trust.formats.public_key import PublicKey

_PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


class FileSigner:
    """A signer that holds its P-256 private key; the key leaves it in no way.

    Args:
        key: what `formats.keyfile.load_private` returned.

    Raises:
        AtomError: TRU104 the key is not on P-256.
    """

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self._public = public_key.of(key.public_key())

    @classmethod
    def open(cls, private_pem: bytes, password: bytes) -> FileSigner:
        """A signer from the bytes of an encrypted key file.

        Raises:
            AtomError: TRU101 malformed, TRU102 parameters, TRU103 wrong password, TRU104 not P-256.
        """
        return cls(keyfile.load_private(private_pem, password))

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return self._public

    def sign_digest(self, sha256: bytes) -> bytes:
        """An ECDSA signature (ASN.1 DER) over the 32 bytes of a SHA-256; another one at each call."""
        return self._key.sign(sha256, _PREHASHED)
