"""The folder of an export: what it holds, who writes to it, and which parts are finished.

What is made lies in the sub-folder `.atom-export` until all of it is there: the plan, one small file for each finished
partition, and under `new` the files themselves. Then everything is moved to its place, the manifest last. So the disk
may run full, or the process be killed, while a finished export is made anew: until the end it stays what it was.

A partition counts as finished if its small file is there and its files are what that says, be it at their place or
under `new`; everything else that an interrupted export left is made again.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from atomctl.canonical import Digest, Json, canonical_json, digest_file
from atomctl.dataset import codes
from atomctl.dataset.model import Partition, Reason, Split, StoredFile
from atomctl.dataset.plan import Plan, plan_from
from atomctl.errors import AtomError
from atomctl.files import replace_file, replacing, sync_folder

MANIFEST = "manifest.dsse.json"
CARD = "README.md"
WORK = ".atom-export"
_PLAN, _NEW = "plan.json", "new"
_LARGEST = 1 << 50


class Workspace:
    """A folder that this process alone exports into."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._work = folder / WORK
        self._new = self._work / _NEW

    @property
    def finished(self) -> bool:
        """Whether the manifest is there and nothing newer was begun."""
        return (self.folder / MANIFEST).is_file() and not (self._work / _PLAN).exists()

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

    def begin(self, plan: Plan, kept: Iterable[Partition] = ()) -> None:
        """The plan is on disk, and the partitions it takes over from a finished export count as finished."""
        for partition in kept:
            self.keep_partition(partition)
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

    @contextmanager
    def writing(self, path: str) -> Iterator[IO[bytes]]:
        """A stream whose bytes are the new file at `path` when the block ends well."""
        target = self._new / path
        _make_folder(target.parent)
        _remove_unfinished(target.parent, target.name)
        with replacing(target) as stream:
            yield stream

    def stored(self, path: str) -> StoredFile:
        """The file as it is on disk, the new one if there is one."""
        return stored_file(self._new if (self._new / path).is_file() else self.folder, path)

    def write(self, path: str, data: bytes) -> StoredFile:
        """The new file, whole."""
        with self.writing(path) as stream:
            stream.write(data)
        return self.stored(path)

    def publish(self, files: Iterable[str]) -> None:
        """The export consists of these files and the manifest, which comes to its place last; nothing else is left."""
        paths = [*files, MANIFEST]
        for path in paths:
            _make_folder((self.folder / path).parent)
        for path in paths:
            if (self._new / path).is_file():
                (self._new / path).replace(self.folder / path)
                sync_folder((self.folder / path).parent)
        for stray in _files_below(self.folder, "split=*/tenant=*", "tenant=*"):
            if stray.relative_to(self.folder).as_posix() not in paths:
                stray.unlink()
        self.clean()

    def clean(self) -> None:
        """Nothing but the export itself is left."""
        (self._work / _PLAN).unlink(missing_ok=True)  # first: what is left without it is nobody's beginning
        shutil.rmtree(self._work)
        sync_folder(self.folder)

    def _is_whole(self, file: StoredFile) -> bool:
        try:
            return self.stored(file.path) == file
        except FileNotFoundError:
            return False


def _make_folder(folder: Path) -> None:
    """The folder is there, with those above it, and on disk."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.is_dir()]):
        missing.mkdir(mode=0o700)
        sync_folder(missing.parent)


def _files_below(folder: Path, *patterns: str) -> Iterator[Path]:
    for pattern in patterns:
        for root in folder.glob(pattern):
            yield from (path for path in root.rglob("*") if path.is_file())


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
    with locked(folder):
        (folder / WORK).mkdir(mode=0o700, exist_ok=True)
        try:
            yield Workspace(folder)
        finally:
            with suppress(OSError):
                (folder / WORK).rmdir()  # refused before anything was planned: it is empty


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """No other process writes to the export in the folder until the block ends.

    Raises:
        AtomError: DAT803 another process does.
        OSError: there is no such folder.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AtomError(codes.BUSY, f"{folder} is locked by another process") from error
        yield
    finally:
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
        watermark=int(document["watermark"]),
        runs=int(document["runs"]),
        last_entry=int(document["last_entry"]),
        rows=int(document["rows"]),
        content=Digest(str(document["content"])),
        dropped={Reason(name): int(count) for name, count in document["dropped"].items()},
        forgotten=tuple(UUID(run_id) for run_id in document["tombstones"]),
        split=Split(document["split"]) if document["split"] else None,
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
