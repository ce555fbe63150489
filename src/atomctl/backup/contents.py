"""What streams by in the tars of a set: each file digested on its way, thrown away or written to a folder."""

from __future__ import annotations

import io
import os
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from atomctl.backup import codes
from atomctl.backup.manifest import NAME, Listed
from atomctl.canonical import digest_chunks
from atomctl.errors import AtomError

_READ = 1 << 20
_MANIFEST_LIMIT = 1 << 30


class Destination(Protocol):
    """Where files go."""

    def folder(self, name: str) -> None:
        """A folder is there afterwards."""

    def file(self, name: str) -> IO[bytes]:
        """A new file to write."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The plain files of a tar by name, and the bytes of its PostgreSQL manifest, empty where there is none."""

    files: dict[str, Listed]
    manifest: bytes


class Nowhere:
    """A `Destination` for whoever only wants to know whether the files are right."""

    def folder(self, name: str) -> None:
        """Nothing happens."""

    def file(self, name: str) -> IO[bytes]:
        """A file that forgets."""
        del name
        return _Forgetful()


class Folder:
    """A `Destination` below an existing folder: files of mode 0600 in folders of mode 0700."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def folder(self, name: str) -> None:
        """As `Destination.folder`."""
        (self._root / name).mkdir(mode=0o700, parents=True, exist_ok=True)

    def file(self, name: str) -> IO[bytes]:
        """As `Destination.file`.

        Raises:
            OSError: it exists, or cannot be made.
        """
        path = self._root / name
        if not path.parent.is_dir():
            path.parent.mkdir(mode=0o700, parents=True)
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")


def walk(stream: io.RawIOBase, destination: Destination) -> Contents:
    """Reads the tar to its end and writes its files to `destination`.

    Raises:
        AtomError: BAK004 it is not a tar, or holds other things than plain files and folders with plain names; and
            whatever reading the stream raises.
        OSError: the destination cannot be written.
    """
    files: dict[str, Listed] = {}
    manifest = b""
    try:
        with tarfile.open(fileobj=stream, mode="r|", bufsize=_READ) as tar:
            for member in tar:
                name = plain_name(member)
                if member.isdir():
                    destination.folder(name)
                    continue
                source = tar.extractfile(member)
                if source is None:
                    raise AtomError(codes.CHANGED, f"{name} has no content")
                keep = io.BytesIO() if name == NAME and member.size <= _MANIFEST_LIMIT else None
                with destination.file(name) as target:
                    checksum = digest_chunks(_copied(source, target, keep))
                files[name] = Listed(member.size, checksum.removeprefix("sha256:"))
                manifest = keep.getvalue() if keep else manifest
        while stream.read(_READ):
            pass
    except tarfile.TarError as error:
        raise AtomError(codes.CHANGED, f"the stream is not a tar: {error}") from error
    return Contents(files, manifest)


def plain_name(member: tarfile.TarInfo) -> str:
    """The member's name, if it is a plain file or folder that lies below where it is unpacked.

    Raises:
        AtomError: BAK019 it is the link of a tablespace, BAK004 it is anything else.
    """
    path = PurePosixPath(member.name)
    if member.issym() and path.parts[:-1] == ("pg_tblspc",):
        raise AtomError(codes.TABLESPACES, f"{member.name} leads to a tablespace")
    if path.is_absolute() or ".." in path.parts or not (member.isreg() or member.isdir()):
        raise AtomError(codes.CHANGED, f"{member.name!r} is not a plain file or folder")
    return str(path)


def _copied(source: IO[bytes], target: IO[bytes], keep: io.BytesIO | None) -> Iterator[bytes]:
    while piece := source.read(_READ):
        target.write(piece)
        if keep is not None:
            keep.write(piece)
        yield piece


class _Forgetful(io.BytesIO):
    def write(self, data: object) -> int:
        return len(data)  # type: ignore[arg-type]  # IO[bytes] is written bytes alone
