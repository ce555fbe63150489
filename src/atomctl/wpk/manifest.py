"""Reads a manifest: bytes in, a `Manifest` with every default filled in out, or one error that says where and why.

Three gates, each stricter than the last: the YAML is plain and read the same by everybody, the schema knows every
field, and what the fields say fits together (`coherence`).
"""

from __future__ import annotations

from atomctl.errors import AtomError
from atomctl.wpk import codes, schema
from atomctl.wpk.build import build
from atomctl.wpk.coherence import check_coherence
from atomctl.wpk.model import Manifest
from atomctl.wpk.refusals import refusals
from atomctl.wpk.source_yaml import Node, Position, read_yaml

NAME = "wpk.yaml"


def parse_manifest(data: bytes, file: str = NAME) -> Manifest:
    """The manifest in `data`; `file` is the name that messages carry.

    Raises:
        AtomError: WPK101-WPK108 it is not one plain YAML document; WPK110-WPK113 the schema refuses it, with the
            nearest known field; WPK114-WPK118 and WPK120 it contradicts itself. The message starts with
            file:line:column; of several refusals one is told, with how many there are besides.
    """
    return interpret(read_manifest(data, file))


def read_manifest(data: bytes, file: str = NAME) -> Node:
    """The one YAML document in `data`, not yet checked against the schema.

    Raises:
        AtomError: WPK101-WPK108.
    """
    _check_plain(data, file)
    documents = read_yaml(data, file)
    if len(documents) != 1:
        raise AtomError(codes.DOCUMENTS, f"{file} holds {len(documents) or 'no'} documents")
    return documents[0]


def interpret(node: Node) -> Manifest:
    """The manifest a document states.

    Raises:
        AtomError: WPK110-WPK118, WPK120.
    """
    found = refusals(schema.validator().iter_errors(node.value), schema.document())
    if found:
        # A misspelt field usually is the cause of whatever else is refused, so it is told first.
        first = min(found, key=lambda each: (each.code is not codes.UNKNOWN_FIELD, node.position(each.path)))
        raise first.error(node.position(first.path), others=len(found) - 1)
    assert isinstance(node.value, dict), "the schema demands an object"
    manifest = build(node.value)
    check_coherence(manifest, node)
    return manifest


def _check_plain(data: bytes, file: str) -> None:
    if data.startswith(b"\xef\xbb\xbf"):
        raise AtomError(codes.TEXT, f"{Position(file, 1, 1)}: the file starts with a byte order mark")
    if (offset := data.find(b"\r")) >= 0:
        line = data.count(b"\n", 0, offset) + 1
        raise AtomError(codes.TEXT, f"{Position(file, line, 1)}: the line ends with a carriage return")
