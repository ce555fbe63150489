"""The `.atomaudit` file: JSON lines that prove entries of one log without anything else.

- The first line is the header: `schema`, `origin`, `run` (or null), `entries`, `vkey`, `checkpoint` (the
  signed note, whole).
- Each further line is one entry: `{"data": <the leaf, byte for byte>, "leaf": "<base64 of its hash>"}`; in the bundle
  of a run with its inclusion proof, `"proof": ["<base64>", …]`, nearest hash first.

All lines are canonical JSON. Nothing personal stands in a bundle, only the commitments. Everything here is pure.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from atomctl.audit.codes import BAD_BUNDLE
from atomctl.audit.model import MAX_LEAF
from atomctl.canonical import canonical_json
from atomctl.errors import AtomError

SCHEMA = "atom.audit-bundle/v1"
SUFFIX = ".atomaudit"

_LINE_LIMIT = 2 * MAX_LEAF
_DATA, _LEAF, _PROOF = b'{"data":', b',"leaf":"', b'","proof":'
_HASH = 44  # 32 bytes in base64


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The first line of a bundle."""

    origin: str
    run: str | None
    entries: int
    vkey: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of a bundle: its leaf's bytes, the hash claimed for it, and its inclusion proof if it has one."""

    data: bytes
    claimed: bytes | None
    proof: tuple[bytes, ...] = ()


def header_line(header: Header) -> bytes:
    """The header as it is written."""
    return canonical_json({"schema": SCHEMA, **dataclasses.asdict(header)}) + b"\n"


def entry_line(data: bytes, leaf: bytes, proof: Sequence[bytes] | None = None) -> bytes:
    """An entry as it is written; with its proof in the bundle of a run."""
    tail = b'"}\n' if proof is None else _PROOF + canonical_json([_text(node) for node in proof]) + b"}\n"
    return b"".join((_DATA, data, _LEAF, base64.b64encode(leaf), tail))


def read_header(stream: BinaryIO) -> Header:
    """Reads the first line.

    Raises:
        AtomError: AUD714 it is not the header of a bundle, or of a version this program does not know.
    """
    try:
        document = json.loads(stream.readline(_LINE_LIMIT))
        if document["schema"] != SCHEMA:
            raise AtomError(BAD_BUNDLE, f"schema {str(document['schema'])[:100]!r}, this program reads {SCHEMA}")
        return Header(
            origin=_typed(document, "origin", str),
            run=None if document["run"] is None else _typed(document, "run", str),
            entries=_typed(document, "entries", int),
            vkey=_typed(document, "vkey", str),
            checkpoint=_typed(document, "checkpoint", str),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise AtomError(BAD_BUNDLE, "the first line is not the header of an audit bundle") from error


def read_entries(stream: BinaryIO) -> Iterator[tuple[bytes, bytes | None]]:
    """The entries of a whole log: a leaf's bytes, and the hash claimed for it or None if the line is damaged.

    No more than two leaves' bytes are held at a time, however long a line is.
    """
    readline = stream.readline
    while line := readline(_LINE_LIMIT):
        at = len(line) - _HASH - 12
        if line.startswith(_DATA) and line[at : at + 9] == _LEAF and line.endswith(b'"}\n'):
            yield line[8:at], _hash(line[at + 9 : -3])
        else:
            yield line, None


def read_proved_entries(stream: BinaryIO) -> Iterator[Line]:
    """The entries of a run's bundle with their proofs; a damaged line has no claimed hash."""
    while line := stream.readline(_LINE_LIMIT):
        at = line.rfind(_LEAF)
        try:
            tail = json.loads(b"{" + line[at + 1 :])
            proof = tuple(base64.b64decode(node, validate=True) for node in tail["proof"])
            yield Line(line[8:at], _hash(tail["leaf"]) if line.startswith(_DATA) else None, proof)
        except (ValueError, KeyError, TypeError, RecursionError):
            yield Line(line, None)


def _text(node: bytes) -> str:
    return base64.b64encode(node).decode()


def _hash(text: bytes | str) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        return None


def _typed(document: dict[str, Any], name: str, kind: type) -> Any:
    value = document[name]
    if type(value) is not kind:
        raise ValueError(f"{name} is not {kind.__name__}")
    return value
