"""How a package's files reach a Pod without a shared disk: ConfigMaps, joined by one projected volume (docs/adr/0008).

The limit of a ConfigMap is 1 MiB of data, etcd's of a request 1.5 MiB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from atomctl.errors import AtomError
from atomctl.runs.steps.jobs import codes

FILE_BYTES: Final = 900_000
"""The largest file, and the most that one ConfigMap is filled with."""
PACKAGE_BYTES: Final = 8 * 1024 * 1024
"""All files together: each attempt writes them to etcd anew."""
_READABLE: Final = 0o444
_EXECUTABLE: Final = 0o555


@dataclass(frozen=True, slots=True)
class CarriedFile:
    """One file of the package."""

    path: str
    data: bytes
    executable: bool

    @property
    def mode(self) -> int:
        """The permissions it has in the Pod."""
        return _EXECUTABLE if self.executable else _READABLE


def read_folder(folder: Path) -> list[CarriedFile]:
    """The files of an extracted package, by path."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        CarriedFile(path.relative_to(folder).as_posix(), path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in files
    ]


def portions(files: Sequence[CarriedFile]) -> list[list[CarriedFile]]:
    """The files as ConfigMaps will hold them, in order; none is over the limit.

    Raises:
        AtomError: RUN692 a file is too large, or all of them together are.
    """
    whole = sum(len(file.data) for file in files)
    for file in files:
        if len(file.data) > FILE_BYTES:
            raise AtomError(codes.TOO_LARGE, f"{file.path} has {len(file.data):,} bytes; {FILE_BYTES:,} are the limit")
    if whole > PACKAGE_BYTES:
        raise AtomError(codes.TOO_LARGE, f"the package has {whole:,} bytes; {PACKAGE_BYTES:,} are the limit")
    return list(_fill(files))


def _fill(files: Iterable[CarriedFile]) -> Iterator[list[CarriedFile]]:
    portion, size = list[CarriedFile](), 0
    for file in files:
        if portion and size + len(file.data) > FILE_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(file)
        size += len(file.data)
    if portion:
        yield portion
