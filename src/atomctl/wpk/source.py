"""Reads a package's source from disk: a folder, or one `NAME.wpk.yaml`. Only what belongs to the format is read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.member_names import FOLDERS, MANIFEST, MAX_DEPTH, TOP_FILES, check_name
from atomctl.wpk.tar import MAX_BYTES, MAX_MEMBERS, FileEntry

SINGLE_FILE_SUFFIX: Final = ".wpk.yaml"
_PRODUCTS: Final = (".wpk", ".sigstore.json")
"""What `pack` and `sign` leave beside the source; not part of it."""


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a package before it is packed; paths are relative, with `/`."""

    files: Mapping[str, FileEntry]


def load_source(path: Path) -> Source:
    """The source at `path`. Executable is what its owner may execute; times, owners and other modes do not count.

    Left out at the top: hidden entries, `*.wpk` and `*.sigstore.json`. Anything else that is not part of a package is
    refused rather than left out.

    Raises:
        AtomError: WPK150 missing or unreadable; WPK134, WPK135 a link or device; WPK145 no manifest; WPK139, WPK140
            more than a package may hold; WPK132-WPK147 a path.
    """
    try:
        files = dict(_folder(path)) if path.is_dir() else {MANIFEST: _single(path)}
    except OSError as error:
        raise AtomError(codes.UNREADABLE, f"{error.filename or path}: {error.strerror or error}") from error
    if MANIFEST not in files:
        raise AtomError(codes.NO_MANIFEST, f"{path} has no {MANIFEST}")
    return Source(files)


def _single(path: Path) -> FileEntry:
    if path.exists() and path.name != MANIFEST and not path.name.endswith(SINGLE_FILE_SUFFIX):
        raise AtomError(
            codes.LAYOUT,
            f"{path} is neither a folder nor named NAME{SINGLE_FILE_SUFFIX}",
            hint="give the folder that holds wpk.yaml, or one file named NAME.wpk.yaml",
        )
    return FileEntry(_file(path, MAX_BYTES).data)


def _folder(root: Path) -> Iterator[tuple[str, FileEntry]]:
    left = MAX_BYTES
    for count, path in enumerate(_paths(root)):
        if path.is_symlink():
            raise AtomError(codes.LINK, f"{path} is a symbolic link")
        name = _name(path.relative_to(root))
        if count == MAX_MEMBERS:
            raise AtomError(codes.TOO_MANY, f"{root} has more than {MAX_MEMBERS:,} files")
        entry = _file(path, left)
        left -= len(entry.data)
        yield name, entry


def _name(path: Path) -> str:
    """The path as UTF-8 text, read from its bytes: the locale decides what Python makes of them, not what they are."""
    raw = os.fsencode(path)
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise AtomError(codes.BAD_NAME, f"{raw!a} is not UTF-8") from None
    check_name(name)
    return name


def _paths(root: Path) -> Iterator[Path]:
    for path in sorted(root.iterdir()):
        if path.name in FOLDERS and not path.is_symlink() and path.is_dir():
            yield from _below(path, MAX_DEPTH)
        elif path.name in TOP_FILES or not (path.name.startswith(".") or path.name.endswith(_PRODUCTS)):
            yield path


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if depth == 0:
        raise AtomError(codes.TOO_DEEP, f"{folder} lies more than {MAX_DEPTH} folders deep")
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _below(path, depth - 1)
        else:
            yield path


def _file(path: Path, limit: int) -> FileEntry:
    """One regular file, opened without following a link, so that what is checked is what is read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        if path.is_symlink():
            raise AtomError(codes.LINK, f"{path} is a symbolic link") from None
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise AtomError(codes.DEVICE, f"{path} is not a regular file") from None
        raise
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            code = codes.LAYOUT if stat.S_ISDIR(status.st_mode) else codes.DEVICE
            raise AtomError(code, f"{path} is not a regular file")
        with open(handle, "rb", closefd=False) as file:
            data = file.read(limit + 1)
    finally:
        os.close(handle)
    if len(data) > limit:
        raise AtomError(codes.TOO_LARGE, f"with {path} the package has more than {MAX_BYTES:,} bytes")
    return FileEntry(data, executable=bool(status.st_mode & stat.S_IXUSR))
