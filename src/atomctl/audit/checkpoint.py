"""Checkpoints: a tree's origin, size and root as text (C2SP tlog-checkpoint), and the names logs sign under."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from atomctl.audit.codes import BAD_NOTE
from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.names import LogName
from atomctl.audit.note import Note, Signer, VerifierKey, find_key, parse_note, sign_note
from atomctl.canonical import sha256
from atomctl.errors import AtomError

_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says about itself: under `origin`, `size` entries have the root `root`."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text that is signed; one newline behind each line."""
        lines = (self.origin, str(self.size), base64.b64encode(self.root).decode(), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(data: bytes) -> tuple[Checkpoint, Note]:
    """Reads a signed checkpoint; its signatures are not verified.

    Raises:
        AtomError: AUD717 it is not a note, or its text is not a checkpoint.
    """
    note = parse_note(data)
    lines = note.text.removesuffix("\n").split("\n")
    if len(lines) < 3 or not lines[0] or not _SIZE.fullmatch(lines[1]) or "" in lines[3:]:
        raise AtomError(BAD_NOTE, "a checkpoint has the lines origin, size and root")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        root = b""
    if len(root) != 32:
        raise AtomError(BAD_NOTE, "the root of a checkpoint is 32 bytes in base64")
    return Checkpoint(lines[0], int(lines[1]), root, tuple(lines[3:])), note


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """The signed note; the key's name is the checkpoint's origin."""
    return sign_note(checkpoint.text, checkpoint.origin, signer)


def deployment_origin(public: bytes) -> str:
    """The name of a deployment's own log: `atomctl/` and 16 hex digits of the first signing key's digest."""
    return f"atomctl/{sha256(public).hex()[:16]}"


def origin_of(public: bytes, tenant_id: UUID) -> str:
    """The name of a tenant's log: the deployment's, a slash and the tenant's id."""
    deployment = deployment_origin(public)
    return deployment if tenant_id == DEPLOYMENT else f"{deployment}/{tenant_id}"


def key_for(origin: str, trusted: Iterable[VerifierKey]) -> VerifierKey | None:
    """The trusted key that must have signed `origin`.

    A key named like the origin, or the key of the deployment for the logs of its tenants and of later epochs.
    """
    trusted = tuple(trusted)
    if exact := find_key(trusted, origin):
        return exact
    try:
        name = LogName.parse(origin)
    except ValueError:
        return None
    # The key of one tenant's log stands for that log alone, in any epoch.
    for covering in (name.in_epoch(1), name.of(DEPLOYMENT), name.of(DEPLOYMENT).in_epoch(1)):
        if key := find_key(trusted, str(covering)):
            return VerifierKey(origin, key.public, key.type)
    return None
