"""The Markdown files of a folder on this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from atomctl.errors import AtomError
from atomctl.knowledge import codes
from atomctl.knowledge.pages import LARGEST

MOST_FILES = 5_000
_ENDINGS = (".md", ".markdown")


def markdown_files(folder: Path) -> list[Path]:
    """The folder's Markdown files, in order, as paths within it; hidden files and folders are left out.

    Folders behind symbolic links are not entered.

    Raises:
        AtomError: KNO001 there is no such folder, KNO002 there are too many files, KNO010 there is none.
    """
    if not folder.is_dir():
        raise AtomError(codes.NO_FOLDER, str(folder))
    found = sorted(_walk(folder))
    if not found:
        raise AtomError(codes.NO_PAGES, str(folder))
    if len(found) > MOST_FILES:
        raise AtomError(codes.TOO_MANY_FILES, f"{len(found):,} files in {folder}")
    return found


def _walk(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise AtomError(codes.NO_FOLDER, f"{error.filename}: {error.strerror}") from error

    for base, folders, files in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            Path(base, name).relative_to(folder)
            for name in files
            if name.lower().endswith(_ENDINGS) and not name.startswith(".")
        )


def read_file(folder: Path, path: Path) -> bytes:
    """The bytes of one of the folder's files; one more than a page may have if it is larger.

    Raises:
        AtomError: KNO006 it lies outside of the folder, KNO003 it is no ordinary file, KNO008 it cannot be read.
    """
    try:
        # Resolved first and opened without following: what is a link now leads where it was seen to lead.
        real = (folder / path).resolve(strict=True)
        if not real.is_relative_to(folder.resolve()):
            raise AtomError(codes.OUTSIDE, f"{path} is {real}")
        with os.fdopen(os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise AtomError(codes.BINARY, f"{path} is no ordinary file")
            return file.read(LARGEST + 1)
    except OSError as error:
        raise AtomError(codes.UNREADABLE, f"{path}: {error.strerror}") from error
