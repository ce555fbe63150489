"""Control 8: a backup comes back whole, and one that does not is recognised."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from atomctl.audit.keys import load_key
from atomctl.backup import codes
from atomctl.backup.contents import Nowhere
from atomctl.backup.plan import Wanted
from atomctl.backup.reading import Reader
from atomctl.backup.service import Backups
from atomctl.backup.shelf import STATEMENTS, Shelf, Shelved
from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.needs import API, BACKUP_PROGRAMS
from atomctl.controls.notebook import Notebook
from atomctl.controls.site import Site
from atomctl.errors import AtomError
from atomctl.objects.unlocked import UnlockedFolder


@dataclass(slots=True)
class _Stage:
    site: Site
    backups: Backups
    newest: Shelved


@contextmanager
def _stage(site: Site, _: Notebook) -> Iterator[_Stage]:
    backups = site.backups()
    if not backups.shelf.ids():
        backups.create(Wanted.BEST)
    yield _Stage(site, backups, backups.shelf.find(None))


def _drilled(stage: _Stage, book: Notebook) -> str:
    """The newest set and an older one are restored to a scratch cluster, replayed to the marker and compared."""
    report = stage.backups.drill()
    book.note("PostgreSQL", str(stage.newest.statement.server.version), b"backup drill", str(report).encode())
    if not report["passed"]:
        return f"not restored: {report['sets']}"
    return "restored to the marker, same rows, same audit root"


def _read(stage: _Stage, book: Notebook) -> str:
    """Every byte of the newest set and of those it builds on."""
    read = stage.backups.verify(None)
    book.note("object store", "backups", b"verify", str([item.digest for item in read]).encode())
    return "whole" if stage.newest.statement.id in {item.statement.id for item in read} else "another set"


def _damaged(damage: Callable[[Path], None], pattern: str) -> Callable[[_Stage, Notebook], str]:
    """A copy of the set in a scratch folder is damaged in one object, and read."""

    def act(stage: _Stage, book: Notebook) -> str:
        with tempfile.TemporaryDirectory(prefix="atom-damaged-") as name:
            copy = _copied(stage, Path(name))
            (victim, *_) = sorted(Path(name).glob(pattern.format(id=stage.newest.statement.id)))
            damage(victim)
            answer = _answer(stage, copy)
        book.note("scratch copy", "backups", f"read after {damage.__name__} of {pattern}".encode(), answer.encode())
        return answer

    return act


def _copied(stage: _Stage, folder: Path) -> Shelf:
    """The set alone, byte for byte, on a shelf of its own."""
    store, statement = UnlockedFolder(folder), stage.newest.statement
    keys = [part.key for stream in statement.streams.values() for part in stream.parts]
    for key in [f"{STATEMENTS}/{statement.id}", *keys]:
        store.put(key, stage.backups.shelf.store.get(key))
    return Shelf(store, [load_key(stage.site.audit_key).vkey])


def _answer(stage: _Stage, copy: Shelf) -> str:
    try:
        found = copy.read(stage.newest.statement.id)
        Reader(copy, stage.backups.restorer.reader.wrapper).read(found, Nowhere(), Nowhere())
    except AtomError as error:
        return error.code.id
    return "whole"


def _untouched(_: Path) -> None:
    """Nothing is damaged: the copy itself must be readable, or the damage below would prove nothing."""


def _flipped(file: Path) -> None:
    """One byte in the middle differs."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def _cut(file: Path) -> None:
    """The last byte is missing."""
    file.write_bytes(file.read_bytes()[:-1])


def _gone(file: Path) -> None:
    file.unlink()


_BASE = "backups/sets/{id}/base/*"
_STATEMENT = f"{STATEMENTS}/{{id}}"
_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=8,
    name="restore",
    title="Backup integrity",
    promise="The newest backup restores to what its signed statement counts, and one changed byte is detected.",
    category=Category.RECOVERY,
    mapping=Mapping(("A1.3", "CC7.5"), ("A.8.13", "A.5.30"), ("CP-4", "CP-9(1)", "CP-10")),
    needs=(API, BACKUP_PROGRAMS),
    stage=_stage,
    probes=(
        Probe("a drill restores it", _P, "restored to the marker, same rows, same audit root", _drilled, seconds=300),
        Probe("every byte of it is read", _P, "whole", _read, seconds=120),
        Probe("a copy of it is read", _P, "whole", _damaged(_untouched, _BASE), seconds=120),
        Probe("one flipped byte is detected", _N, codes.CHANGED.id, _damaged(_flipped, _BASE), seconds=120),
        Probe("one missing byte is detected", _N, codes.TRUNCATED.id, _damaged(_cut, _BASE), seconds=120),
        Probe("a missing object is detected", _N, codes.TRUNCATED.id, _damaged(_gone, _BASE), seconds=120),
        Probe(
            "a changed statement is detected",
            _N,
            codes.STATEMENT_UNTRUSTED.id,
            _damaged(_flipped, _STATEMENT),
            seconds=120,
        ),
    ),
)
