"""The folder of an export: what it holds, who writes to it, and which parts are finished.

Until the manifest is there, the sub-folder `.atom-export` holds the plan and one small file for each finished
partition. A partition counts as finished if that file is there and its files are what it says; everything else that an
interrupted export left is made anew.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import Any

from atomctl.canonical import Digest, Json, canonical_json, digest_file
from atomctl.dataset import codes
from atomctl.dataset.model import Partition, Reason, StoredFile
from atomctl.dataset.plan import Plan, plan_from
from atomctl.errors import AtomError
from atomctl.files import replace_file, sync_folder

MANIFEST = "manifest.dsse.json"
CARD = "README.md"
WORK = ".atom-export"
_PLAN = "plan.json"
_LARGEST = 1 << 50


class Workspace:
    """A folder that this process alone exports into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._work = folder / WORK

    @property
    def finished(self) -> bool:
        """Whether the manifest is there."""
        return (self.folder / MANIFEST).is_file()

    def plan(self) -> Plan | None:
        """The plan of an export that was begun here.

        Raises:
            AtomError: DAT802 it cannot be read by this program.
        """
        try:
            return plan_from(json.loads((self._work / _PLAN).read_bytes()))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise AtomError(codes.OTHER_EXPORT, f"{self._work / _PLAN} is no plan of this version: {error}") from error

    def keep_plan(self, plan: Plan) -> None:
        """The plan is on disk."""
        replace_file(self._work / _PLAN, canonical_json(plan.to_json()))

    def keep_partition(self, partition: Partition) -> None:
        """The partition counts as finished."""
        replace_file(self._work / f"{partition.day.isoformat()}.json", canonical_json(partition.to_json()))

    def partition(self, day: date) -> Partition | None:
        """The day's partition, if it was finished and its files are still what was written."""
        try:
            found = partition_from(json.loads((self._work / f"{day.isoformat()}.json").read_bytes()))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None
        return found if all(self._is_whole(file) for file in found.files) else None

    def make_folder(self, path: str) -> Path:
        """The folder, which holds nothing half-written, made with those above it if need be."""
        current = self.folder
        for part in Path(path).parts:
            parent, current = current, current / part
            if not current.is_dir():
                current.mkdir(mode=0o700)
                sync_folder(parent)
        _remove_unfinished(current, "runs")
        return current

    def stored(self, path: str) -> StoredFile:
        """The file as it is on disk."""
        return stored_file(self.folder, path)

    def write(self, path: str, data: bytes) -> StoredFile:
        """The file, whole."""
        replace_file(self.folder / path, data)
        return self.stored(path)

    def close(self) -> None:
        """Nothing but the export itself is left."""
        shutil.rmtree(self._work)
        _remove_unfinished(self.folder, CARD, MANIFEST)
        sync_folder(self.folder)

    def _is_whole(self, file: StoredFile) -> bool:
        try:
            return self.stored(file.path) == file
        except FileNotFoundError:
            return False


@contextmanager
def workspace(folder: Path) -> Iterator[Workspace]:
    """The folder, made if it was not there, and locked against other exports until the block ends.

    Raises:
        AtomError: DAT801 it holds something else, DAT803 another process exports into it.
        OSError: it cannot be made or written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    known = {WORK, MANIFEST}
    names = {path.name for path in folder.iterdir()}
    if names and not names & known:
        raise AtomError(codes.NOT_EMPTY, f"{folder} holds {min(names)[:80]!r} and no export")
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AtomError(codes.BUSY, f"{folder} is locked by another process") from error
        (folder / WORK).mkdir(mode=0o700, exist_ok=True)
        yield Workspace(folder)
    finally:
        with suppress(OSError):
            (folder / WORK).rmdir()  # refused before anything was planned: it is empty
        os.close(descriptor)


def _remove_unfinished(folder: Path, *names: str) -> None:
    """What `files.replacing` left of files of these names when the process was killed is gone."""
    for name in names:
        for unfinished in folder.glob(f".{name}.*"):
            unfinished.unlink()


def stored_file(folder: Path, path: str) -> StoredFile:
    """The file at `path` below `folder` as it is on disk.

    Raises:
        OSError: it is missing or cannot be read.
    """
    with (folder / path).open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        return StoredFile(path, size, digest_file(stream, limit=_LARGEST))


def partition_from(document: dict[str, Any]) -> Partition:
    """The partition in a document.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    return Partition(
        day=date.fromisoformat(document["day"]),
        rows=int(document["rows"]),
        content=Digest(str(document["content"])),
        last_entry=document["last_entry"],
        dropped={Reason(name): int(count) for name, count in document["dropped"].items()},
        files=tuple(file_from(file) for file in document["files"]),
    )


def file_from(document: dict[str, Json]) -> StoredFile:
    """The file in a document.

    Raises:
        ValueError, KeyError, TypeError: it is none, or its path leads out of the export.
    """
    path = str(document["path"])
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"the path {path[:80]!r} leads out of the export")
    return StoredFile(path, int(str(document["size"])), Digest(str(document["digest"])))
