"""PostgreSQL's backup manifest: what a base backup must hold, and whether it does. Pure.

Format: https://www.postgresql.org/docs/current/backup-manifest-format.html. `pg_verifybackup` reads the same; it wants
the files on a disk, and this check reads them as they stream by.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atomctl.backup import codes
from atomctl.backup.lsn import parse_lsn
from atomctl.canonical import sha256
from atomctl.errors import AtomError

NAME = "backup_manifest"
_LAST = b'"Manifest-Checksum": "'


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a base backup: bytes, and SHA-256 in hex."""

    size: int
    checksum: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What PostgreSQL says about a base backup; `start` and `end` are the LSNs between which it needs the log."""

    files: Mapping[str, Listed]
    timeline: int
    start: int
    end: int


def read_manifest(data: bytes) -> Manifest:
    """The manifest, if its own checksum fits.

    Raises:
        AtomError: BAK007 it does not, or it is not a manifest with SHA-256 checksums of one timeline.
    """
    head, found, tail = data.rpartition(_LAST)
    # The checksum covers everything up to and including the newline before its own line.
    if not found or tail[:64] != sha256(head).hex().encode():
        raise AtomError(codes.FILES_DIFFER, "the manifest's own checksum does not fit")
    try:
        document = json.loads(data)
        (wal,) = document["WAL-Ranges"]
        files = dict(_listed(item) for item in document["Files"])
        return Manifest(files, int(wal["Timeline"]), parse_lsn(wal["Start-LSN"]), parse_lsn(wal["End-LSN"]))
    except (ValueError, KeyError, TypeError) as error:
        raise AtomError(codes.FILES_DIFFER, f"the manifest cannot be used: {error}") from error


def _listed(item: Mapping[str, object]) -> tuple[str, Listed]:
    if item["Checksum-Algorithm"] != "SHA256":
        raise ValueError(f"checksums by {item['Checksum-Algorithm']}, not SHA256")
    # A name that is not UTF-8 is given in hex.
    name = item.get("Path") or bytes.fromhex(str(item["Encoded-Path"])).decode("utf-8", "surrogateescape")
    return str(name), Listed(int(str(item["Size"])), str(item["Checksum"]).lower())


def require_same(manifest: Manifest, found: Mapping[str, Listed]) -> None:
    """Returns when `found` is exactly what the manifest lists, the manifest itself aside.

    Raises:
        AtomError: BAK007 with the first differences by name.
    """
    differences = list(_differences(manifest, found))
    if differences:
        more = f", and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise AtomError(codes.FILES_DIFFER, "; ".join(differences[:3]) + more)


def _differences(manifest: Manifest, found: Mapping[str, Listed]) -> Iterator[str]:
    for name, listed in sorted(manifest.files.items()):
        if name not in found:
            yield f"{name} is missing"
        elif found[name] != listed:
            yield f"{name} is not what was backed up"
    for name in sorted(set(found) - set(manifest.files) - {NAME}):
        yield f"{name} is in no manifest"
