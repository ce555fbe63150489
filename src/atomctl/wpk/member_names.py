"""Which paths a package may hold: ones that mean the same file on every system, below the folders of the format."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from atomctl.errors import AtomError
from atomctl.wpk import codes

MANIFEST: Final = "wpk.yaml"
FOLDERS: Final = ("manifests", "scripts", "files")
TOP_FILES: Final = (MANIFEST, "README.md", "LICENSE")

MAX_DEPTH: Final = 16
"""Segments of a path, the file's own name included."""
MAX_SEGMENT_BYTES: Final = 255
MAX_PATH_BYTES: Final = 1024


def check_name(name: str) -> None:
    """Refuses a path that a package may not hold.

    Raises:
        AtomError: WPK132 absolute; WPK133 a `..`, `.` or empty segment; WPK142 too deep; WPK144 not NFC, control
            characters, backslash, too long; WPK147 outside the folders of a package, or hidden.
    """
    shown = ascii(name[:120])
    if name.startswith("/"):
        raise AtomError(codes.ABSOLUTE_PATH, f"{shown} is an absolute path")
    segments = name.split("/")
    if any(segment in {"", ".", ".."} for segment in segments):
        raise AtomError(codes.PARENT_PATH, f"{shown} has a segment that is empty, `.` or `..`")
    if len(segments) > MAX_DEPTH:
        raise AtomError(codes.TOO_DEEP, f"{shown} has {len(segments)} segments; at most {MAX_DEPTH} are allowed")
    _check_characters(name, segments, shown)
    _check_layout(segments, shown)


def check_distinct(names: Iterable[str]) -> None:
    """Refuses paths that some file system would mix up.

    Raises:
        AtomError: WPK137 the same path twice; WPK138 two that differ only in case or Unicode form, or a file where
            another path needs a folder.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        folded = _folded(name)
        if (other := files.get(folded)) is not None:
            code = codes.DUPLICATE_MEMBER if other == name else codes.COLLISION
            raise AtomError(code, f"{name!a} and {other!a} are one path where case does not count")
        files[folded] = name
        _note_folders(name, folders)
    for folded, folder in folders.items():
        if folded in files:
            raise AtomError(codes.COLLISION, f"{files[folded]!a} is a file and {folder!a} a folder")


def _note_folders(name: str, folders: dict[str, str]) -> None:
    """Two spellings of one folder are a collision as well: `Files/a` and `files/b` would share it."""
    segments = name.split("/")
    for depth in range(1, len(segments)):
        folder = "/".join(segments[:depth])
        if (other := folders.setdefault(_folded(folder), folder)) != folder:
            raise AtomError(codes.COLLISION, f"the folders {folder!a} and {other!a} are one elsewhere")


def _folded(name: str) -> str:
    """Equal for names that are a canonical caseless match (Unicode 3.13, D145), as APFS and NTFS compare them."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def _check_characters(name: str, segments: list[str], shown: str) -> None:
    if unicodedata.normalize("NFC", name) != name:
        raise AtomError(codes.BAD_NAME, f"{shown} is not in Unicode form NFC")
    if "\\" in name or any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name):
        raise AtomError(codes.BAD_NAME, f"{shown} has a backslash, a control or an invisible character")
    if len(name.encode()) > MAX_PATH_BYTES or any(len(each.encode()) > MAX_SEGMENT_BYTES for each in segments):
        raise AtomError(codes.BAD_NAME, f"{shown}... is too long")


def _check_layout(segments: list[str], shown: str) -> None:
    if len(segments) == 1 and segments[0] not in TOP_FILES:
        raise AtomError(codes.LAYOUT, f"{shown} is not one of {', '.join(TOP_FILES)}")
    if len(segments) > 1 and segments[0] not in FOLDERS:
        raise AtomError(codes.LAYOUT, f"{shown} is not below {', '.join(f'{folder}/' for folder in FOLDERS)}")
    if any(segment.startswith(".") for segment in segments):
        raise AtomError(codes.LAYOUT, f"{shown} is a hidden file")
