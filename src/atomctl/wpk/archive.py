"""The package archive: source to bytes with a digest, and bytes back to what they hold.

The SHA-256 of the archive is the package's identity. `unpack` accepts only what `pack` would have written for the same
files (`tar`), so a content has one digest, and it parses nothing but the buffer it has hashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atomctl.canonical import Digest, digest
from atomctl.errors import AtomError
from atomctl.wpk import codes, tar
from atomctl.wpk.contents import check_contents
from atomctl.wpk.manifest import parse_manifest
from atomctl.wpk.member_names import MANIFEST
from atomctl.wpk.model import Manifest
from atomctl.wpk.source import Source, load_source
from atomctl.wpk.tar import FileEntry

__all__ = ["FileEntry", "Package", "Packed", "Source", "extract", "load_source", "pack", "unpack"]


@dataclass(frozen=True, slots=True)
class Package:
    """What an archive holds."""

    manifest: Manifest
    manifest_bytes: bytes
    files: Mapping[str, FileEntry]
    """Every file by its path, `wpk.yaml` among them, sorted by the bytes of the path."""
    digest: Digest


@dataclass(frozen=True, slots=True)
class Packed:
    """An archive and what it is known by."""

    data: bytes
    package: Package
    """What `unpack(data)` gives, without reading it again."""

    @property
    def digest(self) -> Digest:
        """The package's identity."""
        return self.package.digest

    @property
    def manifest(self) -> Manifest:
        """The manifest inside."""
        return self.package.manifest

    @property
    def file_name(self) -> str:
        """`NAME-VERSION.wpk`."""
        return f"{self.manifest.name}-{self.manifest.version}.wpk"


def pack(source: Source) -> Packed:
    """The archive of `source`; the same bytes on every machine, in any file order, locale and umask.

    Raises:
        AtomError: WPK101-WPK122 the manifest or what it names; WPK132-WPK147 a path or a limit.
    """
    data = tar.write(source.files)
    return Packed(data, _package(source.files, digest(data)))


def unpack(data: bytes) -> Package:
    """What `data` holds, all of it checked; nothing is written anywhere.

    Raises:
        AtomError: WPK130-WPK147 the archive; WPK101-WPK122 the manifest or what it names.
    """
    return _package(tar.read(data), digest(data))


def extract(package: Package, folder: Path) -> None:
    """`folder` holds the package's files afterwards: all of them, or none. It must not exist yet, or be empty.

    Raises:
        AtomError: WPK151 it exists; WPK152 it could not be written.
    """
    from atomctl.wpk import extraction  # its `tempfile` and `shutil` cost more than reading a package

    extraction.write_files(package.files, folder)


def _package(files: Mapping[str, FileEntry], identity: Digest) -> Package:
    if MANIFEST not in files:
        raise AtomError(codes.NO_MANIFEST, f"the package has no {MANIFEST}")
    manifest_bytes = files[MANIFEST].data
    manifest = parse_manifest(manifest_bytes)
    check_contents(manifest, files)
    return Package(manifest, manifest_bytes, dict(sorted(files.items(), key=lambda item: item[0].encode())), identity)
