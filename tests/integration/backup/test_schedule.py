"""The schedule: takes what is due, leaves what is not, and leaves it to another worker that leads."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable

import psycopg
import pytest
from tests.fakes.backed_up import Yard
from tests.fakes.locked_memory import LockedMemory
from tests.servers.waiting import wait_until

from atomctl.backup import schedule
from atomctl.backup.model import Kind
from atomctl.backup.plan import Wanted
from atomctl.backup.schedule import Schedule, Timetable
from atomctl.db.roles import DatabaseRole
from atomctl.errors import AtomError
from atomctl.objects import codes as object_codes

OFTEN = datetime.timedelta(milliseconds=1)
LONG = datetime.timedelta(hours=1)


@pytest.fixture
def times() -> Timetable:
    return Timetable(backup_every=OFTEN, drill_every=None, look=OFTEN, retry_after=OFTEN)


def test_what_is_due_is_taken_full_first_and_then_incremental(
    own_yard: Callable[[], Yard], store: LockedMemory, times: Timetable
) -> None:
    backups = own_yard().backups(store)
    scheduled = Schedule(backups, times)
    scheduled.look_once(datetime.timedelta(0))
    assert store.objects == {}, "a new instance lives a while before its first backup"
    scheduled.look_once(LONG)
    scheduled.look_once(datetime.timedelta(0))
    assert [item.statement.kind for item in backups.shelf.shelved()] == [Kind.INCREMENTAL, Kind.FULL]
    Schedule(backups, Timetable(backup_every=LONG, drill_every=None)).look_once(LONG)
    assert len(backups.shelf.ids()) == 2


def test_a_drill_follows_and_is_not_repeated_before_its_time(yard: Yard, store: LockedMemory) -> None:
    backups = yard.backups(store)
    backups.create(Wanted.FULL)
    scheduled = Schedule(backups, Timetable(backup_every=None, drill_every=OFTEN))
    scheduled.look_once(LONG)
    tried = backups.ledger.newest().tried_at
    assert tried is not None
    Schedule(backups, Timetable(backup_every=None, drill_every=LONG)).look_once(LONG)
    assert backups.ledger.newest().tried_at == tried


def test_a_worker_that_does_not_lead_does_nothing(yard: Yard, store: LockedMemory, times: Timetable) -> None:
    with psycopg.connect(yard.address.dsn(DatabaseRole.WORKER)) as leader:
        leader.execute("SELECT pg_advisory_lock(%s)", (schedule.LOCK,))
        Schedule(yard.backups(store), times).look_once(LONG)
        assert store.objects == {}


def test_a_failure_is_recorded_and_the_loop_goes_on(yard: Yard, store: LockedMemory, times: Timetable) -> None:
    failed = threading.Event()

    def full_once(key: str) -> None:
        if not failed.is_set():
            failed.set()
            raise AtomError(object_codes.FULL, "no room")

    store.before_put = full_once
    backups, stop = yard.backups(store), threading.Event()
    backups.ledger.newest()
    loop = threading.Thread(target=Schedule(backups, times).run, args=(stop,))
    loop.start()
    try:
        wait_until(lambda: bool(backups.shelf.ids()), "a backup was taken after one that failed", 60)
    finally:
        stop.set()
        loop.join()
    assert failed.is_set()
    with yard.server.admin.connect() as admin:
        row = admin.execute(
            "SELECT count(*) AS n FROM atom.audit_inbox WHERE convert_from(data, 'UTF8') LIKE %s",
            ('%"action":"backup.create"%"code":"OBJ004"%',),
        ).fetchone()
    assert row is not None
    assert row["n"] >= 1
