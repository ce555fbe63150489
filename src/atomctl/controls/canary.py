"""A canary: a secret that must be nowhere. Each place it could have come to is searched for each form it may have."""

from __future__ import annotations

import io
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from atomctl.backup.plan import Wanted
from atomctl.backup.reading import Reader
from atomctl.backup.service import Backups
from atomctl.controls.notebook import Notebook
from atomctl.controls.site import Site
from atomctl.db import queries
from atomctl.runs.secret_forms import forms

_LOG_LIMIT = 64 << 20
_LEAST_TABLES = 20
_sql: Any = queries.load(__file__)


def new_canary() -> str:
    """A secret that looks different in base64, hex, URL and JSON form, and that occurs nowhere by chance."""
    return f"canary/{secrets.token_hex(12)}+&%={secrets.token_hex(4)}"


def holds(data: bytes, canary: str) -> bool:
    """Whether any form of the canary is in the data."""
    return any(form in data for form in forms(canary))


def places(site: Site, tenant_id: UUID, canary: str, book: Notebook) -> list[str]:
    """Where the canary is found: the tenant's rows, the engine's, its audit log, the processes' logs.

    Raises:
        LookupError: there was hardly a table to search.
    """
    assert site.admin is not None, "the search needs an administrator"
    with site.admin.connect() as admin:
        rows = list(_sql.places_of(admin, tenant_id=tenant_id, needles=_needles(canary)))
        book.note("PostgreSQL", str(admin.info.server_version), b"the canary in every table", str(rows).encode())
    if len(rows) < _LEAST_TABLES:
        raise LookupError(f"only {len(rows)} tables could be searched")
    found = [row["relation"] for row in rows if row["found"] != "0"]
    for file in sorted((site.settings.home / "logs").glob("*.log")):
        with file.open("rb") as stream:
            if holds(stream.read(_LOG_LIMIT), canary):
                found.append(str(file))
    return found


def found_in_backup(backups: Backups, canaries: Collection[str], book: Notebook) -> set[str]:
    """Which canaries are in a backup that is taken now, as it is stored or as it is restored.

    All that was written since the one before is in it, so an incremental one serves.

    Raises:
        AtomError: as `Backups.create` and `Reader.read`.
    """
    taken = backups.create(Wanted.BEST)
    search = _Search(canaries)
    Reader(backups.shelf, backups.restorer.reader.wrapper).read(taken, search, search)
    parts = [part.key for stream in taken.statement.streams.values() for part in stream.parts]
    for key in parts:
        search.look(backups.shelf.store.get(key))
    book.note("object store", "backups", f"canaries in {taken.digest}".encode(), str(len(search.found)).encode())
    return search.found


def found_in_files(files: Iterable[Path], canary: str) -> list[str]:
    """The names of the files that hold the canary."""
    return [file.name for file in files if holds(file.read_bytes(), canary)]


@dataclass(slots=True)
class _Search:
    """A backup's `Destination` that keeps nothing but which canaries came by."""

    canaries: Collection[str]
    found: set[str] = field(default_factory=set)

    def folder(self, name: str) -> None:
        """Nothing happens."""

    def file(self, name: str) -> IO[bytes]:
        """A file whose bytes are looked at."""
        del name
        return _Searched(self)

    def look(self, data: bytes) -> None:
        """Notes the canaries in the data."""
        self.found.update(canary for canary in self.canaries if canary not in self.found and holds(data, canary))


class _Searched(io.BytesIO):
    _LONGEST = 1024

    def __init__(self, search: _Search) -> None:
        super().__init__()
        self._search, self._tail = search, b""

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]  # IO[bytes] is written bytes alone
        self._search.look(self._tail + piece)
        self._tail = (self._tail + piece)[-self._LONGEST :]
        return len(piece)


def _needles(canary: str) -> list[str]:
    """Every form of the canary as it stands in a row printed as text: bytes in hex, backslashes doubled."""
    plain = {form.decode() for form in forms(canary)}
    return sorted({*plain, *(text.encode().hex() for text in plain), *(text.replace("\\", "\\\\") for text in plain)})
