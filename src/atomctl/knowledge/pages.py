"""Reading a page: from bytes to chunks, or the reason why not. Pure."""

from __future__ import annotations

from pathlib import PurePosixPath

from atomctl.canonical import digest
from atomctl.errors import AtomError
from atomctl.knowledge import codes
from atomctl.knowledge.cleaning import clean
from atomctl.knowledge.markdown import chunks_of
from atomctl.knowledge.model import RUNS, Page

LARGEST = 1 << 20
"""Bytes of a page."""
MOST_CHUNKS = 2_000
LONGEST_NAME = 500
_CUTTING = "1"
"""Changes when the same bytes would be cut otherwise, so that every page is read anew."""


def decode(data: bytes) -> str:
    """The text of a page.

    Raises:
        AtomError: KNO003 it is binary, KNO004 it is no UTF-8, KNO005 it is too large.
    """
    if len(data) > LARGEST:
        raise AtomError(codes.TOO_LARGE, f"{len(data):,} bytes, at most {LARGEST:,}")
    if b"\x00" in data:
        raise AtomError(codes.BINARY, f"a zero byte at {data.index(0):,}")
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        raise AtomError(codes.NOT_UTF8, f"byte {error.start:,} is {data[error.start]:#04x}") from error


def read_page(path: str, data: bytes) -> Page:
    """The page in chunks.

    Args:
        path: within its collection, with `/`.
        data: the file.

    Raises:
        AtomError: KNO009 the path cannot name a page, KNO007 it says nothing; what `decode` raises.
    """
    require_name(path)
    text = decode(data)
    chunks = chunks_of(clean(text), PurePosixPath(path).stem)
    if not chunks:
        raise AtomError(codes.EMPTY, path)
    if len(chunks) > MOST_CHUNKS:
        raise AtomError(codes.TOO_LARGE, f"{len(chunks):,} passages, at most {MOST_CHUNKS:,}")
    return Page(path, digest(f"{_CUTTING}\n".encode() + data), chunks)


def require_name(name: str) -> None:
    """Returns if `name` can name a page or, without the name of the runs, a collection.

    Raises:
        AtomError: KNO009 it cannot.
    """
    parts = name.split("/")
    odd = not name.isprintable() or "\\" in name or any(part in {"", ".", ".."} for part in parts)
    if odd or not 0 < len(name) <= LONGEST_NAME:
        raise AtomError(codes.BAD_NAME, f"{clean(name)[:80]!r}")


def require_collection(name: str) -> None:
    """Returns if `name` can name a collection of pages.

    Raises:
        AtomError: KNO009 it cannot, or is the name of the runs.
    """
    require_name(name)
    if name == RUNS:
        raise AtomError(codes.BAD_NAME, f"{RUNS!r} holds past runs")
