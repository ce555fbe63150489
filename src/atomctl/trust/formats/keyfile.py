"""Key files as cosign writes them: an encrypted private key, and beside it the public key.

The private file is PEM around JSON: `kdf` scrypt with its parameters, `cipher` nacl/secretbox (XSalsa20-Poly1305) with
its nonce, `ciphertext`; all base64 is standard. Decrypted it is a PKCS#8 key in DER. Format: sigstore/sigstore
`pkg/cryptoutils` and `theupdateframework/go-tuf` `encrypted`, version 0.

What only private keys need is imported where it is used, so that verification starts without it.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec

from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats import pem, public_key
from atomctl.trust.formats.public_key import PublicKey
from atomctl.trust.formats.strict_json import Fields, MalformedError, read

_WRITTEN = "ENCRYPTED SIGSTORE PRIVATE KEY"
_READ = frozenset({_WRITTEN, "ENCRYPTED COSIGN PRIVATE KEY"})
_N, _R, _P = 65536, 8, 1
_ACCEPTED_N = frozenset({32768, 65536, 131072})
"""cosign's own values over the years. With r = 8 they cost 32 to 128 MiB; any other is refused before deriving."""
_KEY_BYTES, _SALT_BYTES, _NONCE_BYTES = 32, 32, 24


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A new key pair as two files: the encrypted private key (store it 0600) and the public key."""

    private_pem: bytes = field(repr=False)
    public_pem: bytes


@dataclass(frozen=True, slots=True)
class _Sealed:
    n: int
    salt: bytes
    nonce: bytes
    ciphertext: bytes


def generate(password: bytes) -> KeyPair:
    """A new P-256 key pair; `password` (which may be empty) encrypts the private half."""
    key = ec.generate_private_key(ec.SECP256R1())
    return KeyPair(_seal(key, password), public_key.of(key.public_key()).to_pem())


def load_public(data: bytes) -> PublicKey:
    """The key in a `.pub` file.

    Raises:
        AtomError: TRU105 not one PEM block `PUBLIC KEY`; TRU104 a key of another type than P-256.
    """
    try:
        spki = pem.read(data, {pem.PUBLIC})
    except ValueError as error:
        raise AtomError(codes.PUBLIC_KEY_MALFORMED, str(error)) from error
    return public_key.load_spki(spki)


def load_private(data: bytes, password: bytes) -> ec.EllipticCurvePrivateKey:
    """The private key in an encrypted key file. Takes about 0.2 s and 64 MiB, which is scrypt's purpose.

    Raises:
        AtomError: TRU101 malformed; TRU102 parameters off the list, found before any derivation; TRU103 wrong password;
            TRU104 the decrypted key is not on P-256.
    """
    try:
        sealed = _parse(read(pem.read(data, _READ), max_bytes=64 * 1024, max_depth=8))
    except ValueError as error:
        raise AtomError(codes.KEYFILE_MALFORMED, str(error)) from error
    return _private_key(_open(sealed, password))


def _parse(document: Fields) -> _Sealed:
    kdf, cipher = document.object("kdf"), document.object("cipher")
    if kdf.text("name") != "scrypt" or cipher.text("name") != "nacl/secretbox":
        raise AtomError(codes.KEYFILE_PARAMETERS, "kdf and cipher are not scrypt and nacl/secretbox")
    params = kdf.object("params")
    n, r, p = (params.count(name) for name in ("N", "r", "p"))
    if n not in _ACCEPTED_N or (r, p) != (_R, _P):
        raise AtomError(codes.KEYFILE_PARAMETERS, f"scrypt with N={n}, r={r}, p={p}")
    salt, nonce = kdf.base64("salt", limit=_SALT_BYTES), cipher.base64("nonce", limit=_NONCE_BYTES)
    if len(salt) != _SALT_BYTES or len(nonce) != _NONCE_BYTES:
        raise MalformedError(f"salt or nonce is not {_SALT_BYTES} and {_NONCE_BYTES} bytes long")
    ciphertext = document.base64("ciphertext", limit=16 * 1024)
    for fields in (document, kdf, params, cipher):
        fields.done()
    return _Sealed(n, salt, nonce, ciphertext)


def _derive(password: bytes, salt: bytes, n: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    return Scrypt(salt=salt, length=_KEY_BYTES, n=n, r=_R, p=_P).derive(password)


def _open(sealed: _Sealed, password: bytes) -> bytes:
    from nacl.exceptions import CryptoError
    from nacl.secret import SecretBox

    box = SecretBox(_derive(password, sealed.salt, sealed.n))
    try:
        return box.decrypt(sealed.ciphertext, sealed.nonce)
    except CryptoError as error:
        raise AtomError(codes.PASSWORD_WRONG, "the key file does not open with this password") from error


def _private_key(der: bytes) -> ec.EllipticCurvePrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    try:
        key = load_der_private_key(der, password=None)
    except (ValueError, TypeError) as error:
        raise AtomError(codes.KEYFILE_MALFORMED, "the decrypted content is no PKCS#8 key") from error
    except UnsupportedAlgorithm as error:
        raise AtomError(codes.KEY_TYPE, "the decrypted key is of a type that is not supported") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        kind = type(key).__name__.removesuffix("PrivateKey").lstrip("_")
        raise AtomError(codes.KEY_TYPE, f"the decrypted key is {kind}, ECDSA on P-256 is expected")
    public_key.of(key.public_key())
    return key


def _seal(key: ec.EllipticCurvePrivateKey, password: bytes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from nacl.secret import SecretBox

    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    ciphertext = SecretBox(_derive(password, salt, _N)).encrypt(der, nonce).ciphertext
    document = {
        "kdf": {"name": "scrypt", "params": {"N": _N, "r": _R, "p": _P}, "salt": _base64(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": _base64(nonce)},
        "ciphertext": _base64(ciphertext),
    }
    return pem.write(_WRITTEN, json.dumps(document, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
