"""What goes wrong with backups has a name, and leaves nothing half-done."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import psycopg
import pytest
from tests.fakes.backed_up import Yard
from tests.fakes.locked_memory import LockedMemory
from tests.servers.waiting import wait_until

from atomctl.backup import codes, marker, restoring
from atomctl.backup.facts import Connection, recomputed_facts
from atomctl.backup.keys import create_key
from atomctl.backup.model import Facts
from atomctl.backup.plan import Wanted
from atomctl.backup.service import Backups
from atomctl.db import postmaster
from atomctl.db.roles import DatabaseRole
from atomctl.errors import AtomError, Code
from atomctl.objects import codes as object_codes
from atomctl.objects.unlocked import UnlockedFolder


def refusal(attempt: Callable[[], object]) -> Code:
    with pytest.raises(AtomError) as caught:
        attempt()
    return caught.value.code


@pytest.fixture(scope="module")
def taken(yards: Callable[[str], Yard]) -> LockedMemory:
    """A store with a full and an incremental set; tests that change it put it back."""
    yard, store = yards("PostgreSQL 18, embedded"), LockedMemory()
    yard.backups(store).create(Wanted.FULL)
    yard.work(3)
    yard.backups(store).create(Wanted.INCREMENTAL)
    return store


@pytest.fixture
def damaged(taken: LockedMemory) -> LockedMemory:
    """A copy of it."""
    copy = LockedMemory()
    copy.objects = dict(taken.objects)
    return copy


def newest_objects(store: LockedMemory, backups: Backups) -> list[str]:
    chain = backups.shelf.chain(backups.shelf.find(None))
    return [part.key for item in chain for stream in item.statement.streams.values() for part in stream.parts]


def test_a_flipped_byte_in_any_object_is_found_by_verify_and_by_restore(
    yard: Yard, damaged: LockedMemory, target: Path
) -> None:
    backups = yard.backups(damaged)
    objects = newest_objects(damaged, backups)
    assert len(objects) == 6
    for number, key in enumerate(objects):
        good = damaged.objects[key]
        at = len(good) * number // len(objects)
        damaged.objects[key] = good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :]
        assert refusal(lambda: backups.verify(None)) is codes.CHANGED, key
        if number == 4:
            assert refusal(lambda: backups.restore(None, target)) is codes.CHANGED, key
            assert not target.exists()
        damaged.objects[key] = good
    backups.verify(None)


def test_a_flipped_byte_in_a_statement_takes_the_set_and_what_builds_on_it_away(
    yard: Yard, damaged: LockedMemory
) -> None:
    backups = yard.backups(damaged)
    full = backups.shelf.ids()[1]
    key = f"backups/statements/{full}"
    good = damaged.objects[key]
    damaged.objects[key] = good[:200] + bytes([good[200] ^ 1]) + good[201:]
    assert refusal(lambda: backups.verify(str(full))) is codes.STATEMENT_UNTRUSTED
    assert refusal(lambda: backups.verify(None)) is codes.CHAIN_BROKEN


def test_a_truncated_or_missing_object_is_found(yard: Yard, damaged: LockedMemory, target: Path) -> None:
    backups = yard.backups(damaged)
    for key in newest_objects(damaged, backups):
        good = damaged.objects[key]
        damaged.objects[key] = good[: len(good) // 2]
        assert refusal(lambda: backups.verify(None)) is codes.TRUNCATED
        del damaged.objects[key]
        assert refusal(lambda: backups.verify(None)) is codes.TRUNCATED
        damaged.objects[key] = good
    del damaged.objects[newest_objects(damaged, backups)[0]]
    assert refusal(lambda: backups.restore(None, target)) is codes.TRUNCATED
    assert not target.exists()


def test_objects_that_changed_places_do_not_open(yard: Yard, damaged: LockedMemory) -> None:
    backups = yard.backups(damaged)
    first, second, *_ = newest_objects(damaged, backups)
    damaged.objects[first], damaged.objects[second] = damaged.objects[second], damaged.objects[first]
    assert refusal(lambda: backups.verify(None)) in (codes.CHANGED, codes.TRUNCATED)


def test_a_drill_says_which_set_does_not_come_back(yard: Yard, damaged: LockedMemory) -> None:
    backups = yard.backups(damaged)
    key = newest_objects(damaged, backups)[-1]
    damaged.objects[key] = damaged.objects[key][:-1] + b"\0"
    report = backups.drill()
    assert report["passed"] is False
    assert report["rto_seconds"] is None
    newest, older = (item for item in cast("list[dict[str, object]]", report["sets"]))
    assert (newest["passed"], newest["code"]) == (False, codes.CHANGED.id)
    assert older["passed"] is True
    assert list((yard.home / "scratch").iterdir()) == []


def test_a_missing_unsafe_or_other_key_is_refused_by_name(yard: Yard, damaged: LockedMemory, target: Path) -> None:
    backups, kept = yard.backups(damaged), yard.key_file.with_suffix(".kept")
    yard.key_file.rename(kept)
    try:
        assert refusal(lambda: backups.verify(None)) is codes.KEY_MISSING
        assert refusal(lambda: backups.create(Wanted.FULL)) is codes.KEY_MISSING
        assert not yard.key_file.exists(), "a new key would hide that the old one is lost"
        create_key(yard.key_file)
        assert refusal(lambda: backups.verify(None)) is codes.WRONG_KEY
        assert refusal(lambda: backups.restore(None, target)) is codes.WRONG_KEY
        yard.key_file.chmod(0o644)
        assert refusal(lambda: backups.verify(None)) is codes.KEY_UNUSABLE
    finally:
        kept.rename(yard.key_file)
    assert len(backups.shelf.ids()) == 2
    assert not target.exists()


def test_a_restore_touches_no_folder_that_holds_something(yard: Yard, taken: LockedMemory, target: Path) -> None:
    target.mkdir()
    (target / "mine").write_text("precious")
    assert refusal(lambda: yard.backups(taken).restore(None, target)) is codes.NOT_EMPTY
    assert [file.read_text() for file in target.iterdir()] == ["precious"]
    assert refusal(lambda: yard.backups(taken).restore(None, target / "mine")) is codes.NOT_EMPTY


def test_an_empty_folder_that_was_there_stays_when_a_restore_fails(
    yard: Yard, damaged: LockedMemory, target: Path
) -> None:
    backups = yard.backups(damaged)
    del damaged.objects[newest_objects(damaged, backups)[-1]]
    target.mkdir()
    assert refusal(lambda: backups.restore(None, target)) is codes.TRUNCATED
    assert list(target.iterdir()) == []


def test_a_restore_that_would_not_fit_is_refused_before_it_writes(
    yard: Yard, taken: LockedMemory, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(yard.home)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage._replace(free=1 << 20))
    assert refusal(lambda: yard.backups(taken).restore(None, target)) is codes.NO_ROOM
    assert not target.exists()


def test_a_disk_that_fills_up_while_restoring_is_named_and_nothing_stays(
    yard: Yard, taken: LockedMemory, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def full(path: object, flags: int, *args: int, **named: int) -> int:
        if str(path).endswith("/global/pg_control"):
            raise OSError(28, os.strerror(28), str(path))
        return opened(path, flags, *args, **named)  # type: ignore[arg-type]  # passed on as it came

    monkeypatch.setattr(os, "open", full)
    assert refusal(lambda: yard.backups(taken).restore(None, target)) is codes.NO_ROOM
    assert not target.exists()


def test_a_statement_that_promises_other_rows_is_not_believed(
    yard: Yard, taken: LockedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an edit of the files before they were backed up: all bytes are authentic, the content is not."""

    def forged(connection: Connection) -> Facts:
        facts = recomputed_facts(connection)
        return Facts({**facts.rows, "tenants": facts.rows["tenants"] + 1}, facts.audit)

    monkeypatch.setattr(restoring, "recomputed_facts", forged)
    backups = yard.backups(taken)
    full = backups.shelf.chain(backups.shelf.find(None))[0]
    assert refusal(lambda: backups.restorer.try_out(full)) is codes.CONTENT_DIFFERS


@pytest.mark.parametrize("stream", ["base", "wal", "manifest"])
def test_a_store_without_room_leaves_no_half_listed_set(yard: Yard, store: LockedMemory, stream: str) -> None:
    def full(key: str) -> None:
        if f"/{stream}/" in key:
            raise AtomError(object_codes.FULL, "no room")

    store.before_put = full
    backups = yard.backups(store)
    assert refusal(lambda: backups.create(Wanted.FULL)) is object_codes.FULL
    assert store.objects == {}
    assert list((yard.home / "scratch").iterdir()) == []


def test_a_role_that_may_not_replicate_is_refused_by_name(yard: Yard, store: LockedMemory) -> None:
    with yard.server.admin.connect() as admin:
        admin.execute("ALTER ROLE atom_backup NOREPLICATION")
        try:
            assert refusal(lambda: yard.backups(store).create(Wanted.FULL)) is codes.NOT_PERMITTED
        finally:
            admin.execute("ALTER ROLE atom_backup REPLICATION")
    assert store.objects == {}


def slots(yard: Yard) -> int:
    with yard.server.admin.connect() as admin:
        row = admin.execute("SELECT count(*) AS n FROM pg_replication_slots").fetchone()
    assert row is not None
    return int(row["n"])


def receivers(yard: Yard) -> list[str]:
    """Programs that still copy this server."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return re.findall(rf".*pg_(?:receivewal|basebackup).*{yard.home.name}.*", listed)


def test_a_server_that_dies_in_the_middle_leaves_nothing(own_yard: Callable[[], Yard], store: LockedMemory) -> None:
    yard = own_yard()
    data = yard.home / "postgres" / "data"

    def die(key: str) -> None:
        if "/base/" in key:
            for pid in postmaster.processes(data):
                os.kill(pid, signal.SIGKILL)

    store.before_put = die
    code = refusal(lambda: yard.backups(store).create(Wanted.FULL))
    assert code is codes.TAKING_FAILED or code.id == "DBA001"
    assert code.retryable
    assert store.objects == {}
    assert list((yard.home / "scratch").iterdir()) == []
    assert wait_for(lambda: receivers(yard) == [])


def wait_for(condition: Callable[[], bool]) -> bool:
    wait_until(condition, "the condition holds")
    return True


KILLED = """
import sys, time
from pathlib import Path
from tests.fakes.backed_up import Yard
from tests.servers.postgres import Server
from atomctl.audit.keys import load_key
from atomctl.backup.plan import Wanted
from atomctl.db.embedded import embedded_address
from atomctl.db.address import admin_from_credentials
from atomctl.objects.unlocked import UnlockedFolder

home = Path(sys.argv[1])

class Stuck(UnlockedFolder):
    def put(self, key, data):
        super().put(key, data)
        if sys.argv[3] in key:
            print("stuck", flush=True)
            time.sleep(600)

address = embedded_address(home)
yard = Yard(Server(address, admin_from_credentials(address)), home, load_key(home / "keys" / "audit.key"))
yard.backups(Stuck(Path(sys.argv[2]))).create(Wanted.FULL)
"""


@pytest.mark.parametrize("stage", ["/base/", "/wal/"])
def test_a_killed_backup_is_not_listed_holds_nothing_back_and_is_cleared_away(
    yard: Yard, tmp_path: Path, stage: str
) -> None:
    folder = tmp_path / "store"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(yard.home), str(folder), stage],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == "stuck"
    assert slots(yard) == 1
    process.kill()
    process.wait()
    process.stdout.close()

    wait_until(lambda: slots(yard) == 0, "the server holds no log back")
    wait_until(lambda: receivers(yard) == [], "nothing receives the log any more")
    store = UnlockedFolder(folder)
    backups = yard.backups(store)
    assert backups.look() == []
    assert list(store.keys("backups/")) != []
    taken = backups.create(Wanted.FULL)
    assert backups.verify(None) == [taken]
    left = {key.split("/")[2] for key in store.keys("backups/sets/")}
    assert len(left) == 2
    backups.prune(taken.statement.taken_at)
    assert len({key.split("/")[2] for key in store.keys("backups/sets/")}) == 2, "it might still be under way"
    backups.prune(taken.statement.taken_at + timedelta(days=2))
    assert {key.split("/")[2] for key in store.keys("backups/sets/")} == {str(taken.statement.id)}
    assert list((yard.home / "scratch").iterdir()) == []


def test_scratch_servers_of_a_killed_drill_are_stopped_by_the_next(yard: Yard, taken: LockedMemory) -> None:
    backups = yard.backups(taken)
    account = backups.restorer.site.account()
    with backups.restorer.site.scratch(account) as folder:
        left = folder.with_name("restored-left")
        shutil.copytree(folder, left)
    backups.restorer.try_out(backups.shelf.chain(backups.shelf.find(None))[0])
    assert list((yard.home / "scratch").iterdir()) == []


def test_a_marker_that_meets_a_writer_gives_way_and_asks_again(
    yard: Yard, store: LockedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    gave_way: list[float] = []
    with psycopg.connect(yard.address.dsn(DatabaseRole.WORKER)) as writer:
        writer.execute("SELECT set_config('app.tenant', %s, true)", (str(yard.work(1)),))
        writer.execute("UPDATE atom.tenants SET name = name || 'x'")

        def pause(seconds: float) -> None:
            gave_way.append(seconds)
            writer.commit()

        monkeypatch.setattr(marker, "time", SimpleNamespace(monotonic=time.monotonic, sleep=pause))
        taken = yard.backups(store).create(Wanted.FULL)
    assert len(gave_way) == 1
    yard.backups(store).restorer.try_out(taken)


def test_a_server_with_tablespaces_is_refused(own_yard: Callable[[], Yard], store: LockedMemory) -> None:
    yard = own_yard()
    with yard.server.admin.connect() as admin:
        admin.execute("SET allow_in_place_tablespaces = on")
        admin.execute("CREATE TABLESPACE elsewhere LOCATION ''")
    assert refusal(lambda: yard.backups(store).create(Wanted.FULL)) is codes.TABLESPACES
    assert store.objects == {}
