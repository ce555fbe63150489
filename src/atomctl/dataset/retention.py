"""Retention: exports below a folder whose days are all too old are removed, and nothing else is."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from atomctl.access.model import Actor
from atomctl.audit.model import Entry
from atomctl.audit.note import VerifierKey
from atomctl.audit.record import record
from atomctl.canonical import Json
from atomctl.dataset import codes
from atomctl.dataset.manifest import ReadManifest, read_manifest
from atomctl.dataset.service import Means, require_export
from atomctl.dataset.workspace import MANIFEST, locked
from atomctl.errors import AtomError


class FolderState(enum.StrEnum):
    """What retention says of an export."""

    KEPT = "kept"
    """It has a day that is not too old, or no rows' day at all."""
    OUTDATED = "outdated"
    """Its last day is too old; it is still there."""
    REMOVED = "removed"
    """Its last day was too old."""
    FOREIGN = "foreign"
    """Another instance or another tenant made it, or its manifest was changed; it is left alone."""


@dataclass(frozen=True, slots=True)
class Folder:
    """An export that was found; `read` is None if it is foreign."""

    path: Path
    state: FolderState
    read: ReadManifest | None

    @property
    def last_day(self) -> datetime.date | None:
        """The last day it holds."""
        days = [partition.day for partition in self.read.manifest.partitions] if self.read else []
        return max(days, default=None)

    def to_json(self) -> dict[str, Json]:
        """The folder as a document, schema `atom.dataset-folder/v1`."""
        return {
            "state": self.state.value,
            "last_day": self.last_day.isoformat() if self.last_day else None,
            "rows": self.read.manifest.rows if self.read else None,
            "digest": self.read.digest if self.read else None,
        }


def find_folders(root: Path, trusted: Sequence[VerifierKey], tenant: str, oldest: datetime.date) -> list[Folder]:
    """The finished exports at and below `root`, by path; those without a day from `oldest` on are outdated.

    Raises:
        AtomError: DAT805 the folder cannot be read.
    """
    if not root.is_dir():
        raise AtomError(codes.UNWRITABLE, f"{root} is no folder")
    return [_judge(file.parent, trusted, tenant, oldest) for file in sorted(root.rglob(MANIFEST))]


def _judge(path: Path, trusted: Sequence[VerifierKey], tenant: str, oldest: datetime.date) -> Folder:
    try:
        read = read_manifest((path / MANIFEST).read_bytes(), trusted)
    except (OSError, AtomError):
        return Folder(path, FolderState.FOREIGN, None)
    if read.manifest.order["tenant"] != tenant:
        return Folder(path, FolderState.FOREIGN, None)
    found = Folder(path, FolderState.KEPT, read)
    outdated = found.last_day is not None and found.last_day < oldest
    return Folder(path, FolderState.OUTDATED if outdated else FolderState.KEPT, read)


def prune(means: Means, actor: Actor, root: Path, oldest: datetime.date, *, dry_run: bool) -> list[Folder]:
    """The exports below `root`; afterwards the outdated ones are gone, unless it is a dry run. It is an audit entry.

    Only files that a manifest signed by this instance names are removed, the manifest last: a folder that somebody put
    something else into stays with that, and a removal that was interrupted is ended by the next one.

    Raises:
        AtomError: AUT020 the actor may not export (recorded); DAT803 another process exports into one of the folders;
            DAT805 a folder cannot be read or written.
    """
    require_export(means.sessions, actor, actor.tenant_id)
    found = find_folders(root, [means.audit_key.vkey], str(actor.tenant_id), oldest)
    if dry_run:
        return found
    done = [_removed(each) if each.state is FolderState.OUTDATED else each for each in found]
    gone = [each for each in done if each.state is FolderState.REMOVED]
    if gone:
        digests = list[Json]([each.read.digest for each in gone if each.read][:50])
        detail: dict[str, Json] = {"oldest": oldest.isoformat(), "removed": len(gone), "manifests": digests}
        entry = Entry(action="dataset.prune", subject="dataset/runs", actor=actor.principal_id, detail=detail)
        with means.sessions.tenant(actor.tenant_id) as conn:
            record(conn, actor.tenant_id, entry)
    return done


def _removed(folder: Folder) -> Folder:
    assert folder.read is not None, "what is outdated was read"
    try:
        with locked(folder.path):
            _remove(folder.path, [*(file.path for file in folder.read.manifest.files), MANIFEST])
    except OSError as error:
        raise AtomError(codes.UNWRITABLE, f"{error.filename or folder.path}: {error.strerror or error}") from error
    return Folder(folder.path, FolderState.REMOVED, folder.read)


def _remove(root: Path, files: Sequence[str]) -> None:
    for file in files:
        (root / file).unlink(missing_ok=True)
    for folder in sorted(_folders(root, files), reverse=True):
        with suppress(OSError):  # somebody put something into it
            folder.rmdir()


def _folders(root: Path, files: Sequence[str]) -> Iterator[Path]:
    """Every folder on the way to one of the files, the export's own included."""
    yield root
    for file in files:
        yield from (root / parent for parent in Path(file).parents)
