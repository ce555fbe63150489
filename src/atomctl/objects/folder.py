"""Objects as files in a local folder: mode 0600 in folders of mode 0700, written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from atomctl.errors import AtomError
from atomctl.objects.codes import CONFLICT, DENIED, FULL, MISSING
from atomctl.objects.model import check_key

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class FolderStore:
    """An `ObjectStore` under `root`, which is made on first use.

    A new object is written to a hidden file, flushed to the disk, and linked into place, so that a crash leaves the
    whole object or none, and of two writers of one key the second sees what the first wrote.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, data: bytes) -> None:
        """Stores `data` under `key`; see `ObjectStore.put`."""
        path = self._root / check_key(key)
        with _translated(key):
            _make_folders(self._root, path.parent)
            if not path.exists() and _place(path, data):
                return
            if path.read_bytes() != data:
                raise AtomError(CONFLICT, f"{key} holds other bytes than the {len(data)} given")
            # Whoever wrote it may not have come to this yet, and our caller relies on it now.
            _flush_folder(path.parent)

    def get(self, key: str) -> bytes:
        """The bytes under `key`; see `ObjectStore.get`."""
        with _translated(key):
            return (self._root / check_key(key)).read_bytes()

    def exists(self, key: str) -> bool:
        """Whether something is stored under `key`; see `ObjectStore.exists`."""
        path = self._root / check_key(key)
        with _translated(key):
            try:
                return path.stat() is not None
            except FileNotFoundError:
                return False

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """The keys that begin with `prefix` and come behind `after`, in the order of their bytes.

        Raises:
            AtomError: OBJ005 not permitted.
        """
        with _translated(prefix):
            found = sorted(
                path.relative_to(self._root).as_posix() for path in self._root.rglob("*") if not _is_passing(path)
            )
        yield from (key for key in found if key.startswith(prefix) and key > after)

    def remove(self, key: str) -> None:
        """Nothing is stored under `key` afterwards. A key without an object is a success.

        Raises:
            AtomError: OBJ001 a bad key, OBJ005 not permitted.
        """
        path = self._root / check_key(key)
        with _translated(key), suppress(FileNotFoundError):
            path.unlink()
            _flush_folder(path.parent)


def _is_passing(path: Path) -> bool:
    """Whether this is no object: a folder, or a file that is being written."""
    return path.name.startswith(".") or not path.is_file()


def _make_folders(root: Path, folder: Path) -> None:
    """Makes the folders down to `folder`, each flushed into its parent, so that a crash loses none with its object."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == root:
            break
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(mode=0o700, parents=new == root, exist_ok=True)
        _flush_folder(new.parent)


def _place(path: Path, data: bytes) -> bool:
    """Whether the object was written here; False if another writer was first."""
    unfinished = path.parent / f".new-{secrets.token_hex(8)}"
    try:
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(unfinished, path)
        except FileExistsError:
            return False
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()
    _flush_folder(path.parent)
    return True


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(key: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise AtomError(MISSING, f"nothing is stored under {key}") from error
    except OSError as error:
        code = FULL if error.errno in _NO_ROOM else DENIED
        raise AtomError(code, f"{key}: {error.strerror}") from error
