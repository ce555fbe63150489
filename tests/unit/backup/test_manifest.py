"""PostgreSQL's manifest is believed only whole, and files only as it lists them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atomctl.backup import codes
from atomctl.backup.manifest import NAME, Listed, read_manifest, require_same
from atomctl.canonical import sha256
from atomctl.errors import AtomError

A, B = sha256(b"a").hex(), sha256(b"b").hex()


def manifest(*files: dict[str, Any], ranges: int = 1) -> bytes:
    """As PostgreSQL 18 lays it out."""
    wal = ", ".join(['{ "Timeline": 1, "Start-LSN": "0/2000028", "End-LSN": "0/2000120" }'] * ranges)
    listed = ",\n".join(json.dumps(file) for file in files)
    head = f'{{ "PostgreSQL-Backup-Manifest-Version": 2,\n"Files": [\n{listed}\n],\n"WAL-Ranges": [\n{wal}\n],\n'
    return f'{head}"Manifest-Checksum": "{sha256(head.encode()).hex()}"}}\n'.encode()


def file(name: str, checksum: str = A, size: int = 1) -> dict[str, Any]:
    return {"Path": name, "Size": size, "Checksum-Algorithm": "SHA256", "Checksum": checksum}


def refused(data: bytes) -> str:
    with pytest.raises(AtomError) as caught:
        read_manifest(data)
    assert caught.value.code is codes.FILES_DIFFER
    return caught.value.why


def test_a_manifest_is_read() -> None:
    found = read_manifest(manifest(file("PG_VERSION"), file("base/1/2", B, 8192)))
    assert found.files == {"PG_VERSION": Listed(1, A), "base/1/2": Listed(8192, B)}
    assert (found.timeline, found.start, found.end) == (1, 0x2000028, 0x2000120)


def test_a_name_that_is_not_utf_8_is_read() -> None:
    encoded = {"Encoded-Path": b"base/\xff".hex(), "Size": 1, "Checksum-Algorithm": "SHA256", "Checksum": A}
    assert set(read_manifest(manifest(encoded)).files) == {"base/\udcff"}


def test_any_changed_byte_of_a_manifest_is_noticed() -> None:
    good = manifest(file("PG_VERSION"))
    for at in range(len(good) - 2):  # the closing brace and newline behind the checksum say nothing
        changed = bytearray(good)
        changed[at] ^= 1
        refused(bytes(changed))


@pytest.mark.parametrize("cut", [0, 1, 10, 70, 100])
def test_a_manifest_without_its_end_is_refused(cut: int) -> None:
    refused(manifest(file("PG_VERSION"))[: -3 - cut])


def test_checksums_of_another_kind_are_refused() -> None:
    assert "CRC32C" in refused(manifest({**file("x"), "Checksum-Algorithm": "CRC32C"}))


def test_a_backup_over_two_timelines_is_refused() -> None:
    refused(manifest(file("x"), ranges=2))


def test_the_same_files_are_the_same() -> None:
    found = read_manifest(manifest(file("a"), file("b", B)))
    require_same(found, {"a": Listed(1, A), "b": Listed(1, B), NAME: Listed(5, B)})


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"a": Listed(1, A)}, "b is missing"),
        ({"a": Listed(1, A), "b": Listed(1, A)}, "b is not what was backed up"),
        ({"a": Listed(1, A), "b": Listed(2, B)}, "b is not what was backed up"),
        ({"a": Listed(1, A), "b": Listed(1, B), "c": Listed(1, A)}, "c is in no manifest"),
        ({}, "a is missing; b is missing"),
    ],
)
def test_a_difference_is_named(found: dict[str, Listed], why: str) -> None:
    with pytest.raises(AtomError) as caught:
        require_same(read_manifest(manifest(file("a"), file("b", B))), found)
    assert caught.value.code is codes.FILES_DIFFER
    assert caught.value.why == why
