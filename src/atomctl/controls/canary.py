"""A canary: a secret that must be nowhere. Each place it could have come to is searched for each form it may have."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from atomctl.backup.base_copy import BaseCopy
from atomctl.backup.programs import client_programs
from atomctl.controls.notebook import Notebook
from atomctl.controls.site import Site
from atomctl.db import queries
from atomctl.db.address import DatabaseAddress
from atomctl.db.connections import connect
from atomctl.db.roles import DatabaseRole
from atomctl.runs.secret_forms import forms

_LOG_LIMIT = 64 << 20
_LEAST_TABLES = 20
_LONGEST_FORM = 1024
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


def found_in_copy(address: DatabaseAddress, canaries: Collection[str], book: Notebook) -> set[str]:
    """Which canaries are in the bytes that a backup is made of, before they are encrypted.

    A whole base copy as the backup role gets it, and nothing is kept of it. The log of a set begins behind the
    checkpoint that this copy begins with, and all that was written before is in the copy's pages.

    Raises:
        AtomError: BAK011 there are no programs for this server, BAK009 it did not send all, BAK010 it may not.
    """
    with connect(address.dsn(DatabaseRole.BACKUP)) as connection:
        major = connection.info.server_version // 10_000
    found: set[str] = set()
    tail, size = b"", 0
    for piece in BaseCopy(client_programs(major), address.dsn(DatabaseRole.BACKUP), None).pieces():
        window = tail + piece
        found.update(canary for canary in canaries if canary not in found and holds(window, canary))
        tail, size = window[-_LONGEST_FORM:], size + len(piece)
    book.note("PostgreSQL", str(major), b"the canaries in a base copy", f"{len(found)} in {size} bytes".encode())
    return found


def found_in_files(files: Iterable[Path], canary: str) -> list[str]:
    """The names of the files that hold the canary."""
    return [file.name for file in files if holds(file.read_bytes(), canary)]


def _needles(canary: str) -> list[str]:
    """Every form of the canary as it stands in a row printed as text: bytes in hex, backslashes doubled."""
    plain = {form.decode() for form in forms(canary)}
    return sorted({*plain, *(text.encode().hex() for text in plain), *(text.replace("\\", "\\\\") for text in plain)})
