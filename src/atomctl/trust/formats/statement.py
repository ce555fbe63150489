"""in-toto statements v1: what a signature says about a package.

ATOM signs a release: these bytes are this name at this version, for this tenant or (without one) for whoever trusts the
key. cosign's own OCI signature statement is read too; it names bytes and nothing else. Format:
in-toto/attestation `spec/v1/statement.md`.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from atomctl.canonical import Digest, canonical_json, parse_digest, raw_digest
from atomctl.errors import AtomError
from atomctl.trust import codes
from atomctl.trust.formats.strict_json import Fields, MalformedError, read

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
RELEASE_TYPE = "https://atomctl.dev/wpk-release/v1"
COSIGN_TYPE = "https://sigstore.dev/cosign/sign/v1"


@dataclass(frozen=True, slots=True)
class Release:
    """What a release statement says besides the digest; `created` is the signer's own claim and proves no time."""

    tenant: str | None
    name: str
    version: str
    manifest_digest: Digest
    created: datetime.datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement that may vouch for a package."""

    digest: Digest
    release: Release | None
    """None for a statement that names bytes alone."""


def release_statement(
    *,
    tenant: str | None,
    name: str,
    version: str,
    digest: Digest,
    manifest_digest: Digest,
    created: datetime.datetime,
) -> bytes:
    """The statement that releases `digest` as `name` at `version`, as canonical JSON.

    Args:
        tenant: the only tenant it is for; None = any tenant whose rules trust the key.
        name: the workflow's name.
        version: the package's version (SemVer 2).
        digest: the package's digest.
        manifest_digest: the digest of the manifest's bytes inside the package.
        created: when it is signed, with a time zone; written in UTC, whole seconds.
    """
    time = created.astimezone(datetime.UTC).replace(microsecond=0, tzinfo=None).isoformat() + "Z"
    predicate = {"name": name, "version": version, "manifest": manifest_digest, "created": time}
    if tenant is not None:
        predicate["tenant"] = tenant
    return canonical_json(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": f"{name}@{version}", "digest": {"sha256": raw_digest(digest).hex()}}],
            "predicateType": RELEASE_TYPE,
            "predicate": predicate,
        }
    )


def parse(payload: bytes) -> Statement:
    """The statement in `payload`. Call it only after the signature over `payload` was verified.

    Raises:
        AtomError: TRU220 not a strict statement v1 with exactly one subject; TRU221 a statement of another kind.
    """
    try:
        return _parse(read(payload, max_bytes=256 * 1024, max_depth=16))
    except MalformedError as error:
        raise AtomError(codes.STATEMENT_MALFORMED, str(error)) from error


def _parse(fields: Fields) -> Statement:
    if (kind := fields.text("_type")) != STATEMENT_TYPE:
        raise MalformedError(f"_type is {kind[:80]!r}, {STATEMENT_TYPE} is expected")
    subjects = fields.objects("subject", limit=16)
    if len(subjects) != 1:
        raise MalformedError(f"{len(subjects)} subjects, exactly one is expected")
    subject, predicate_type = subjects[0], fields.text("predicateType")
    if predicate_type == RELEASE_TYPE:
        return _release(fields, subject)
    if predicate_type == COSIGN_TYPE:
        return Statement(_subject_digest(subject), None)
    raise AtomError(codes.STATEMENT_TYPE, f"a statement of type {predicate_type[:120]!r}")


def _release(fields: Fields, subject: Fields) -> Statement:
    predicate = fields.object("predicate")
    release = Release(
        predicate.optional_text("tenant", limit=64),
        predicate.text("name", limit=253),
        predicate.text("version", limit=256),
        _digest(predicate, "manifest"),
        predicate.time("created"),
    )
    coordinates = f"{release.name}@{release.version}"
    if (name := subject.text("name")) != coordinates:
        raise MalformedError(f"the subject is {name[:120]!r} and the predicate says {coordinates!r}")
    statement = Statement(_subject_digest(subject), release)
    for part in (subject, predicate, fields):
        part.done()
    return statement


def _subject_digest(subject: Fields) -> Digest:
    digests = subject.object("digest")
    value = digests.text("sha256")
    digests.done()
    try:
        return parse_digest(f"sha256:{value}")
    except ValueError as error:
        raise MalformedError(f"{digests.path('sha256')} is not a SHA-256 in lower-case hex") from error


def _digest(fields: Fields, name: str) -> Digest:
    try:
        return parse_digest(fields.text(name))
    except ValueError as error:
        raise MalformedError(f"{fields.path(name)} is not a digest") from error
