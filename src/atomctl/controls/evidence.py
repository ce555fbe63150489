"""The folder a check leaves: one signed document, and reports that are nothing but views of it.

Whoever verifies the folder needs no server: the signature must be of a key they trust, each verdict must follow from
what the probes saw, and every report must be, byte for byte, what the signed document gives.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from atomctl.audit.note import Signer, VerifierKey
from atomctl.canonical import Json, canonical_json
from atomctl.controls import matrix
from atomctl.controls.codes import EVIDENCE_CHANGED, EVIDENCE_SIGNATURE, NO_REPORT
from atomctl.controls.document import SCHEMA, missing_of, probes_of
from atomctl.controls.model import Verdict
from atomctl.controls.verdict import exit_code, judge
from atomctl.errors import AtomError
from atomctl.files import replace_file
from atomctl.trust.formats.dsse import Envelope, pae

SIGNED = "check.dsse.json"
PAYLOAD_TYPE = "application/vnd.atom.controls+json"
_LIMIT = 16 * 1024 * 1024
Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A check's document, and whether a trusted key vouches for it."""

    document: Document
    signed_by: VerifierKey | None
    """None where the caller knew no key beforehand."""


def write(folder: Path, document: Document, signer: Signer | None) -> None:
    """The folder holds the check afterwards, the signed document last; files of an earlier check are replaced.

    Args:
        folder: made where it is missing.
        document: as `document.render` makes it.
        signer: the audit log's key; None leaves the document unsigned, and verification says so.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / "logs").mkdir(parents=True, exist_ok=True)
    payload = canonical_json(document)
    for name, text in _views(json.loads(payload)):  # in the order in which whoever verifies reads it
        replace_file(folder / name, text.encode(), mode=0o644)
    signature = signer.sign(pae(PAYLOAD_TYPE, payload)) if signer else b""
    envelope = Envelope(PAYLOAD_TYPE, payload, signature).to_json()
    replace_file(folder / SIGNED, json.dumps(envelope).encode() + b"\n", mode=0o644)


def _views(document: Document) -> Iterator[tuple[str, str]]:
    """Every file but the signed one, by name."""
    yield "policy-matrix.json", matrix.as_json(document)
    yield "policy-matrix.md", matrix.as_markdown(document)
    yield "policy-matrix.csv", matrix.as_csv(document)
    for control in document["controls"]:
        yield matrix.area_file(control), matrix.area(control)
        log = json.dumps(control, indent=2, ensure_ascii=False) + "\n"
        yield f"logs/{control['number']:02d}-{control['name']}.json", log


def verify(folder: Path, trusted: Sequence[VerifierKey]) -> Evidence:
    """The evidence in `folder`, which holds together; it connects to nothing.

    Args:
        folder: as `write` left it.
        trusted: the keys that may have signed it; without any, the signature is checked against the key that the
            document itself names, and nobody vouches for it.

    Raises:
        AtomError: CTL903 it is no such folder, CTL904 something was changed, CTL905 the signature does not hold.
    """
    envelope = _envelope(folder / SIGNED)
    try:
        document: dict[str, Json] = json.loads(envelope.payload)
        if document["schema"] != SCHEMA:
            raise AtomError(NO_REPORT, f"schema {str(document['schema'])[:100]!r}, this program reads {SCHEMA}")
        key = _signer(envelope, document, trusted)
        _require_verdicts(document)
        _require_views(folder, document)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise AtomError(NO_REPORT, f"{folder / SIGNED}: {type(error).__name__}: {error}") from error
    return Evidence(document, key if trusted else None)


def _envelope(file: Path) -> Envelope:
    try:
        with file.open("rb") as stream:
            outer = json.loads(stream.read(_LIMIT))
        (signature,) = outer["signatures"]
        payload = base64.b64decode(outer["payload"], validate=True)
        return Envelope(str(outer["payloadType"]), payload, base64.b64decode(signature["sig"], validate=True))
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise AtomError(NO_REPORT, f"{file}: {error}") from error


def _signer(envelope: Envelope, document: Document, trusted: Sequence[VerifierKey]) -> VerifierKey:
    """The key whose signature holds."""
    from atomctl.audit.note import parse_vkey

    if not envelope.signature or not document["deployment"]:
        raise AtomError(EVIDENCE_SIGNATURE, "the check was not signed")
    candidates = trusted or (parse_vkey(str(document["deployment"])),)
    for key in candidates:
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(envelope.signature, envelope.signed_bytes)
        except InvalidSignature:
            continue
        if envelope.payload_type == PAYLOAD_TYPE:
            return key
    raise AtomError(EVIDENCE_SIGNATURE, f"none of {len(candidates)} keys has signed it")


def _require_verdicts(document: Document) -> None:
    """Every verdict follows from what the probes saw, and the sums from the verdicts."""
    verdicts = []
    for control in document["controls"]:
        drawn = judge([str(name) for name in control["declared"]], probes_of(control), missing_of(control))
        if drawn.value != control["verdict"]:
            raise AtomError(EVIDENCE_CHANGED, f"{control['name']}: {control['verdict']} does not follow, {drawn} does")
        verdicts.append(drawn)
    counted = {verdict.value: verdicts.count(verdict) for verdict in Verdict}
    if counted != document["verdicts"] or int(exit_code(verdicts)) != document["exit"]:
        raise AtomError(EVIDENCE_CHANGED, "the sums do not follow from the verdicts")


def _require_views(folder: Path, document: Document) -> None:
    for name, text in _views(document):
        try:
            found = (folder / name).read_bytes()
        except OSError as error:
            raise AtomError(NO_REPORT, f"{folder / name}: {error.strerror}") from error
        if found != text.encode():
            raise AtomError(EVIDENCE_CHANGED, f"{name} is not what the signed check says")
