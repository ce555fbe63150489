"""Writes the files of an unpacked package into a new folder: all of them or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.tar import FileEntry


def write_files(files: Mapping[str, FileEntry], folder: Path) -> None:
    """`folder` exists afterwards and holds exactly `files`, all of them.

    Modes are 0644 and 0755, of folders 0755, whatever the umask. The files are written beside it and renamed into
    place. The names must have been checked: this is what `tar.read`
    and `tar.write` do.

    Raises:
        AtomError: WPK151 `folder` exists and is not empty; WPK152 writing failed, and nothing is left.
    """
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        raise AtomError(codes.TARGET_EXISTS, f"{folder} exists")
    partial: Path | None = None
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for parent in sorted({parent for name in files for parent in _parents(name)}, key=len):
            (partial / parent).mkdir()
            (partial / parent).chmod(0o755)
        for name, entry in files.items():
            _write(partial / name, entry)
        partial.chmod(0o755)
        partial.rename(folder)
    except OSError as error:
        raise AtomError(codes.UNWRITABLE, f"{folder}: {error.strerror or error}") from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)  # gone already, unless something failed


def _parents(name: str) -> list[str]:
    segments = name.split("/")
    return ["/".join(segments[:depth]) for depth in range(1, len(segments))]


def _write(path: Path, entry: FileEntry) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(entry.data)
        os.fchmod(file.fileno(), 0o755 if entry.executable else 0o644)
