"""A package, wherever it is: a folder, a single manifest, or a packed file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from atomctl.cli.signing_files import PACKAGE_LIMIT, read_bounded

if TYPE_CHECKING:
    from atomctl.wpk.archive import Package, Packed


def pack_source(path: Path) -> Packed:
    """The folder or `NAME.wpk.yaml` at `path` as a packed package.

    Raises:
        AtomError: WPK1xx it is not one.
    """
    from atomctl.wpk.archive import load_source, pack

    return pack(load_source(path))


def open_package(path: Path) -> Package:
    """The package at `path`, packed in memory first if it is a source.

    Raises:
        AtomError: WPK1xx it is not one.
    """
    from atomctl.wpk.archive import unpack

    if path.suffix == ".wpk":
        return unpack(read_bounded(path, PACKAGE_LIMIT))
    return unpack(pack_source(path).data)
