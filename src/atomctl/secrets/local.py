"""Secrets in an encrypted folder of this machine: chosen by name, and never what is fallen back to.

`<folder>/<tenant>/<name>/@<version>`, one sealed file per version. A part of a path never begins with `@`, so versions
and further paths lie side by side. Whoever can delete files here can bring an older version back to the front; what
they cannot do is read one, change one, or move one.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from atomctl.errors import AtomError
from atomctl.files import create_file, sync_folder
from atomctl.secrets import codes
from atomctl.secrets.keyring import create_key, load_key
from atomctl.secrets.model import LONGEST, MAX_BYTES, SecretValue, SecretVersion, check_values
from atomctl.secrets.paths import Location, check_mount, stored
from atomctl.secrets.sealing import Content, seal, unseal

KEPT = 10
"""Versions of a path, as Vault's KV engine keeps them by default; older ones are removed by the next write."""
_VERSION = re.compile(r"@[1-9][0-9]{0,8}")
_LARGEST_FILE = 8 * MAX_BYTES
"""JSON writes one character as up to six bytes."""


class LocalSource:
    """A `SecretSource` under `folder`, which is made on first use. Safe to use from several processes.

    Args:
        folder: mode 0700, as everything below it; files 0600.
        key_file: made by the first write, unless secrets are there already.
        mount: what whole paths begin with.

    Raises:
        AtomError: SEC002 the mount is no path.
    """

    name = "local"

    def __init__(self, folder: Path, key_file: Path, mount: str = "secret") -> None:
        self._folder = folder
        self._key_file = key_file
        self.mount = check_mount(mount)

    def read(self, tenant_id: UUID, path: str, *, version: int | None = None) -> SecretValue:
        """See `SecretSource.read`."""
        place = stored(self.mount, tenant_id, path)
        with _translated(place):
            there = self._numbers(place)
            number = (there[-1] if there else 0) if version is None else version
            if number not in there:
                raise AtomError(codes.NOT_FOUND, f"{place} has no version {number}" if there else f"{place}")
            content = self._open(place, number)
        expires = datetime.now(UTC) + LONGEST
        return SecretValue(path=str(place), version=number, values=content.values, expires_at=expires)

    def write(self, tenant_id: UUID, path: str, values: Mapping[str, str], *, expected_version: int) -> int:
        """See `SecretSource.write`. Of two writers that expect the same version, one gets it."""
        place = stored(self.mount, tenant_id, path)
        check_values(values)
        new = expected_version + 1
        with _translated(place):
            data = seal(self._key_to_write(), place, new, Content(datetime.now(UTC), values))
            there = self._numbers(place)
            newest = there[-1] if there else 0
            if newest != expected_version or not self._place(place, new, data):
                raise AtomError(codes.CONFLICT, f"{place} is at another version than {expected_version}")
            for old in there[: -(KEPT - 1)]:
                self._file(place, old).unlink(missing_ok=True)
        return new

    def versions(self, tenant_id: UUID, path: str) -> tuple[SecretVersion, ...]:
        """See `SecretSource.versions`."""
        place = stored(self.mount, tenant_id, path)
        with _translated(place):
            return tuple(
                SecretVersion(version=number, created=self._open(place, number).created)
                for number in self._numbers(place)
            )

    def paths(self, tenant_id: UUID) -> tuple[str, ...]:
        """See `SecretSource.paths`."""
        root = self._folder / str(tenant_id)
        with _translated(f"{self.mount}/{tenant_id}"):
            found = {file.parent.relative_to(root) for file in root.rglob("@*") if _VERSION.fullmatch(file.name)}
        return tuple(sorted(map(str, found)))

    def close(self) -> None:
        """Nothing was lent."""

    def _place(self, place: Location, version: int, data: bytes) -> bool:
        """Whether the version was written here; False if another writer was first. It appears whole."""
        file = self._file(place, version)
        _make_folders(self._folder, file.parent)
        return create_file(file, data)

    def _open(self, place: Location, version: int) -> Content:
        with self._file(place, version).open("rb") as stream:
            data = stream.read(_LARGEST_FILE)
        return unseal(load_key(self._key_file), place, version, data)

    def _numbers(self, place: Location) -> list[int]:
        folder = self._folder / str(place.tenant_id) / place.name
        names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        return sorted(int(name[1:]) for name in names if _VERSION.fullmatch(name))

    def _file(self, place: Location, version: int) -> Path:
        return self._folder / str(place.tenant_id) / place.name / f"@{version}"

    def _key_to_write(self) -> bytes:
        """The key; a new one where nothing was ever stored."""
        if self._key_file.exists() or any(self._folder.glob("*/**/@*")):
            return load_key(self._key_file)
        return create_key(self._key_file)


def _make_folders(root: Path, folder: Path) -> None:
    """Makes the folders down to `folder`, each of mode 0700 and on disk before the next."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == root:
            break
        folder = folder.parent
    for new in reversed(missing):
        new.mkdir(mode=0o700, parents=new == root, exist_ok=True)
        sync_folder(new.parent)


@contextmanager
def _translated(place: object) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full = "the disk is full" if error.errno in {errno.ENOSPC, errno.EDQUOT} else error.strerror
        raise AtomError(codes.UNWRITABLE, f"{place}: {full}") from error
