"""The port that signers implement, and the release signature made through it."""

from __future__ import annotations

import datetime
from typing import Protocol

from atomctl.canonical import Digest, digest, raw_digest, sha256
from atomctl.trust.formats import bundle, dsse
from atomctl.trust.formats.public_key import PublicKey
from atomctl.trust.formats.statement import release_statement


class Signer(Protocol):
    """Something that can sign with one key: a key file, a key management service."""

    @property
    def public_key(self) -> PublicKey:
        """The public half; its `key_id` is what trust rules name."""
        ...

    def sign_digest(self, sha256: bytes) -> bytes:
        """An ECDSA signature (ASN.1 DER) over the 32 bytes of a SHA-256."""
        ...


class PackedPackage(Protocol):
    """What `wpk.archive.pack` returns, as far as signing reads it."""

    @property
    def data(self) -> bytes:
        """The package's bytes."""
        ...


def sign_release(signer: Signer, packed: PackedPackage, tenant: str | None, created: datetime.datetime) -> bytes:
    """A bundle that releases the package under the name and version its own manifest carries.

    Args:
        signer: whose key signs.
        packed: the package; it is unpacked in memory, so what cannot be unpacked is never signed, and the
            digest is computed from its bytes.
        tenant: the only tenant the release is for; None = any whose rules trust the key.
        created: when, with a time zone.

    Raises:
        AtomError: WPK1xx the bytes are no package.
    """
    from atomctl.wpk.archive import unpack

    package = unpack(packed.data)
    metadata = package.manifest.metadata
    payload = release_statement(
        tenant=tenant,
        name=metadata.name,
        version=metadata.version,
        digest=package.digest,
        manifest_digest=digest(package.manifest_bytes),
        created=created,
    )
    return sign_statement(signer, payload)


def sign_statement(signer: Signer, payload: bytes) -> bytes:
    """A bundle around an in-toto statement, signed as a DSSE envelope."""
    signature = signer.sign_digest(sha256(dsse.pae(dsse.IN_TOTO, payload)))
    return bundle.write(dsse.Envelope(dsse.IN_TOTO, payload, signature), raw_digest(signer.public_key.key_id))


def sign_blob(signer: Signer, digest_: Digest) -> bytes:
    """A bundle that signs bytes and nothing about them, as `cosign sign-blob` makes it."""
    raw = raw_digest(digest_)
    content = bundle.MessageSignature(raw, signer.sign_digest(raw))
    return bundle.write(content, raw_digest(signer.public_key.key_id))
