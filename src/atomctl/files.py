"""Files that appear whole or not at all, and survive a power cut once the call has returned."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def replacing(target: Path, *, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """A stream whose bytes become `target` when the block ends well; else `target` stays what it was.

    The bytes are written beside the target, synced, renamed over it, and the folder is synced.

    Raises:
        OSError: the folder is missing, not permitted or full; nothing is left behind. Its `filename` is the target.
    """
    with _about(target):
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:64]}.")
    part = Path(name)
    try:
        with _about(target):
            with os.fdopen(descriptor, "wb") as stream:
                yield stream
                stream.flush()
                os.fchmod(stream.fileno(), mode)
                os.fsync(stream.fileno())
            part.replace(target)
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    sync_folder(target.parent)


@contextmanager
def _about(target: Path) -> Iterator[None]:
    """A failure of the file written beside `target` names `target`, which the caller knows."""
    try:
        yield
    except OSError as error:
        beside = isinstance(error.filename, str) and Path(error.filename).name.startswith(f".{target.name[:64]}.")
        if error.filename is None or beside:
            error.filename, error.filename2 = str(target), None
        raise


def replace_file(target: Path, data: bytes, *, mode: int = 0o600) -> None:
    """`target` holds exactly `data` afterwards, with `mode`; as `replacing`."""
    with replacing(target, mode=mode) as stream:
        stream.write(data)


def create_file(target: Path, data: bytes, *, mode: int = 0o600) -> bool:
    """Whether `target` was made here and holds exactly `data`; False if something was there, which stays as it is.

    Of several processes that create one file, one makes it; none ever sees a part of it.

    Raises:
        OSError: the folder is missing, not permitted or full; nothing is left behind.
    """
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:64]}.")
    part = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
        try:
            os.link(part, target)
        except FileExistsError:
            return False
    finally:
        part.unlink()
    sync_folder(target.parent)
    return True


def sync_folder(folder: Path) -> None:
    """The names in `folder` are on disk afterwards."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
