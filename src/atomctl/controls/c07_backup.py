"""Control 7: backups are taken by themselves, locked against everybody, and missed when they are not taken."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from atomctl.backup.schedule import Schedule, Timetable
from atomctl.backup.service import Backups
from atomctl.backup.shelf import STATEMENTS, Shelved
from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.monitoring import Monitoring, Receipts, age_expression, shipped, until
from atomctl.controls.needs import API, LOCKED_BACKUPS, PROMETHEUS
from atomctl.controls.notebook import Notebook
from atomctl.controls.site import Site
from atomctl.errors import AtomError
from atomctl.objects import codes as objects
from atomctl.objects.locking import LockMode

AGE = "AtomBackupOld"
_SLACK = timedelta(minutes=1)
_NOW = Timetable(backup_every=timedelta(seconds=1), drill_every=None, first_after=timedelta(0))
"""A timetable by which a backup is due at once."""


@dataclass(slots=True)
class _Stage:
    site: Site
    backups: Backups
    monitoring: Monitoring

    def newest(self, book: Notebook) -> Shelved:
        """The newest set in the store."""
        found = self.backups.shelf.find(None)
        book.note("object store", "backups", b"the newest set", found.digest.encode())
        return found


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    yield _Stage(site, site.backups(), Monitoring(site, book, Receipts()))


def _scheduled(stage: _Stage, book: Notebook) -> str:
    """The scheduler of the workers looks once, with a timetable by which one is due."""
    before = set(stage.backups.shelf.ids())
    Schedule(stage.backups, _NOW).look_once(timedelta(0))
    made = set(stage.backups.shelf.ids()) - before
    book.note("object store", "backups", b"sets after the scheduler has looked", str(sorted(made)).encode())
    return f"{len(made)} more"


def _young(stage: _Stage, book: Notebook) -> str:
    limit = shipped(AGE).age
    assert limit is not None, "the alert compares an age"
    age = datetime.now(UTC) - stage.newest(book).statement.taken_at
    return "younger than the recovery point objective" if age < limit else f"{age} old"


def _locked(stage: _Stage, book: Notebook) -> str:
    """Every object of the newest set, as the store itself says."""
    newest = stage.newest(book).statement
    keys = [part.key for stream in newest.streams.values() for part in stream.parts]
    loose = []
    for key in [f"{STATEMENTS}/{newest.id}", *keys]:
        retention = stage.backups.shelf.store.retention(key)
        book.note("object store", "backups", f"retention of {key}".encode(), str(retention).encode())
        until_ = newest.taken_at + stage.site.settings.backup_lock - _SLACK
        if retention.mode is not LockMode.COMPLIANCE or retention.until is None or retention.until < until_:
            loose.append(f"{key}: {retention.mode} until {retention.until}")
    return "; ".join(loose[:3]) or "every object is locked"


def _removed(stage: _Stage, book: Notebook) -> str:
    """The set that was just taken is the one that may be lost."""
    newest = stage.newest(book).statement
    try:
        stage.backups.shelf.remove(newest.id)
    except AtomError as error:
        answer = error.code.id
    else:
        answer = "removed"
    book.note("object store", "backups", f"remove {newest.id}".encode(), answer.encode())
    return answer


def _silent(stage: _Stage, book: Notebook) -> str:
    """With the newest backup on display, the rule as it is shipped has nothing to say."""
    taken = stage.newest(book).statement.taken_at.timestamp()
    until(
        lambda: stage.monitoring.query(f"max(atom_backup_timestamp_seconds) >= {taken - 1:.0f}"),
        "Prometheus does not know of the newest backup",
    )
    return "fires" if stage.monitoring.query(shipped(AGE).expression()) else "silent"


def _paused(stage: _Stage, _: Notebook) -> str:
    """No further backup comes: the same rule with an age of a few seconds speaks up."""
    expression = age_expression(shipped(AGE), 2)
    until(lambda: stage.monitoring.query(expression), "the age alert does not fire")
    loaded = stage.monitoring.loaded().get(AGE)
    return "fires, and is loaded" if loaded else "fires, but Prometheus has not loaded it"


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=7,
    name="backup",
    title="Automated backup",
    promise="The scheduler takes backups, nobody can remove one before its time, and a missing one raises an alert.",
    category=Category.RECOVERY,
    mapping=Mapping(("A1.2", "CC7.5"), ("A.8.13", "A.5.29"), ("CP-9", "CP-6", "AU-9")),
    needs=(API, LOCKED_BACKUPS, PROMETHEUS),
    stage=_stage,
    probes=(
        Probe("the scheduler takes one when it is due", _P, "1 more", _scheduled, seconds=240),
        Probe("the newest is young enough", _P, "younger than the recovery point objective", _young),
        Probe("all of it is locked", _P, "every object is locked", _locked),
        Probe("with a fresh one the age alert is silent", _P, "silent", _silent, seconds=120),
        Probe("it cannot be removed", _N, objects.RETAINED.id, _removed),
        Probe("when no further one comes, the age alert fires", _N, "fires, and is loaded", _paused, seconds=120),
    ),
)
