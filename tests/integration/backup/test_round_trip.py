"""A backup brings back exactly what was there at its marker, on every PostgreSQL there is a promise for."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from tests.fakes.backed_up import Yard
from tests.fakes.locked_memory import LockedMemory
from tests.servers.postgres import QUICK

from atomctl.audit.checkpoint import parse_checkpoint
from atomctl.audit.leaf import entry_of
from atomctl.audit.live import verify_live
from atomctl.audit.model import DEPLOYMENT, Entry
from atomctl.audit.record import record
from atomctl.audit.sequencer import Sequencer
from atomctl.backup import codes, taking
from atomctl.backup.model import Kind
from atomctl.backup.plan import Wanted
from atomctl.backup.shelf import Shelved
from atomctl.db.address import DatabaseAddress
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError


def test_a_full_backup_is_taken_verified_and_tried_out(each_yard: Yard, store: LockedMemory) -> None:
    backups = each_yard.backups(store)
    taken = backups.create(Wanted.FULL)
    assert backups.verify(None) == [taken]
    trial = backups.restorer.try_out(taken)
    facts = taken.statement.facts
    assert trial.rows == sum(facts.rows.values()) > 20
    assert trial.entries == facts.audit.size >= 20
    assert facts.audit.deployment_size > 0
    assert list((each_yard.home / "scratch").iterdir()) == []


def test_what_the_server_cannot_do_is_refused_or_done_in_full(each_yard: Yard, store: LockedMemory) -> None:
    backups = each_yard.backups(store)
    first = backups.create(Wanted.BEST)
    assert first.statement.kind is Kind.FULL
    if first.statement.server.major >= 17:
        assert backups.create(Wanted.BEST).statement.kind is Kind.INCREMENTAL
        return
    before = dict(store.objects)
    with pytest.raises(AtomError) as caught:
        backups.create(Wanted.INCREMENTAL)
    assert caught.value.code is codes.NOT_INCREMENTAL
    assert store.objects == before
    assert backups.create(Wanted.BEST).statement.kind is Kind.FULL


def test_a_chain_of_incrementals_restores_each_of_its_moments(yard: Yard, store: LockedMemory) -> None:
    backups = yard.backups(store)
    sets: list[Shelved] = []
    for wanted in (Wanted.FULL, Wanted.INCREMENTAL, Wanted.INCREMENTAL):
        sets.append(backups.create(wanted))
        yard.work(7)
    sizes = [item.statement.size for item in sets]
    assert max(sizes[1:]) < sizes[0] / 5
    assert backups.verify(None) == sets
    stated = [item.statement.facts.audit.size for item in sets]
    assert backups.restorer.try_out(sets[1]).entries == stated[1]
    assert stated[0] < stated[1] < stated[2]


@contextmanager
def busy_writers(yard: Yard, tenant_id: UUID, writers: int = 3) -> Iterator[list[int]]:
    """Transactions that write to several tables, one after another without a pause; how many each committed."""
    stop = threading.Event()
    done = [0] * writers

    def write(place: int) -> None:
        with Sessions(yard.address, min_size=1, max_size=1, name="writer") as sessions:
            for number in itertools.count():
                if stop.is_set():
                    return
                with sessions.tenant(tenant_id) as conn:
                    entry = Entry(action="test.write", subject=f"w/{place}-{number}", personal={"who": "somebody"})
                    record(conn, tenant_id, entry)
                done[place] += 1

    threads = [threading.Thread(target=write, args=(place,)) for place in range(writers)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_rows_are_those_of_the_marker_while_everybody_writes(yard: Yard, store: LockedMemory) -> None:
    backups = yard.backups(store)
    tenant_id = yard.work(1)
    with busy_writers(yard, tenant_id) as done:
        taken = backups.create(Wanted.FULL)
        after = sum(done)
    rows = taken.statement.facts.rows
    assert rows["personal_values"] == rows["audit_inbox"], "both are written in one transaction"
    assert rows["audit_inbox"] > 0
    assert after > 100, "writers were kept from writing"
    backups.restorer.try_out(taken)  # compares every count
    Sequencer(yard.address.dsn(DatabaseRole.SEQUENCER), yard.signer).drain_once()


def test_a_writer_that_never_ends_keeps_the_marker_away_and_is_not_ended_for_it(
    yard: Yard, store: LockedMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("atomctl.backup.marker._GIVE_UP_SECONDS", 0.5)
    tenant_id = yard.work(1)
    with Sessions(yard.address, min_size=0, name="endless") as sessions, sessions.tenant(tenant_id) as conn:
        record(conn, tenant_id, Entry(action="test.endless", subject="w/1"))
        with pytest.raises(AtomError) as caught:
            yard.backups(store).create(Wanted.FULL)
        record(conn, tenant_id, Entry(action="test.endless", subject="w/2"))
    assert caught.value.code is codes.NEVER_STILL
    assert store.objects == {}


@pytest.fixture
def restored(yard: Yard, store: LockedMemory, target: Path) -> Iterator[tuple[DatabaseAddress, Shelved, UUID]]:
    """An instance that runs on a restored database, the set, and a tenant in it."""
    tenant_id = yard.work(5)
    backups = yard.backups(store)
    backups.create(Wanted.FULL)
    yard.work(3, tenant_id)
    taken = backups.create(Wanted.INCREMENTAL)
    yard.work(4, tenant_id)  # lost
    found = backups.restore(None, target)
    assert found.epoch > 1
    shutil.copytree(yard.home / "credentials", target / "credentials")
    with EmbeddedPostgres(target, QUICK) as address:
        yield address, taken, tenant_id


def test_a_restored_instance_goes_on_in_a_new_epoch(
    yard: Yard, restored: tuple[DatabaseAddress, Shelved, UUID], store: LockedMemory
) -> None:
    address, taken, tenant_id = restored
    Sequencer(address.dsn(DatabaseRole.SEQUENCER), yard.signer).drain_once()
    with Sessions(address, min_size=0, name="restored") as sessions:
        with sessions.tenant(tenant_id) as conn:
            verdict = verify_live(conn, tenant_id, trusted=[yard.signer.vkey])
            row = conn.execute("SELECT data FROM atom.audit_entries ORDER BY entry_index DESC LIMIT 1").fetchone()
            notes = conn.execute("SELECT note FROM atom.audit_checkpoints ORDER BY size DESC LIMIT 1").fetchall()
        assert row is not None
        assert verdict.findings == ()
        assert entry_of(bytes(row["data"]))["action"] == "audit.epoch"
        assert str(taken.statement.id) in str(entry_of(bytes(row["data"])))
        assert "/e" in parse_checkpoint(bytes(notes[0]["note"]))[0].origin
        assert verdict.entries == 5 + 3 + 1

    moved = Yard(type(yard.server)(address, yard.server.admin), Path(address.credentials).parent, yard.signer)
    shutil.copytree(yard.home / "keys", moved.home / "keys")
    again = moved.backups(store)
    plan = again.plan(Wanted.BEST)
    assert plan.kind is Kind.FULL
    assert "before a restore" in plan.why
    new = again.create(Wanted.BEST)
    assert new.statement.server.timeline == taken.statement.server.timeline + 1
    assert again.create(Wanted.BEST).statement.kind is Kind.INCREMENTAL
    again.restorer.try_out(again.shelf.find(None))
    with Sessions(address, min_size=0, name="restored") as sessions, sessions.deployment() as conn:
        known = conn.execute("SELECT count(*) AS n FROM atom.backups WHERE removed_at IS NULL").fetchone()
    assert known is not None
    assert known["n"] == len(again.shelf.ids()), "it learns of sets it does not know, and of those that are gone"


def test_sets_and_drills_are_recorded_in_the_deployments_log(yard: Yard, store: LockedMemory) -> None:
    backups = yard.backups(store)
    taken = backups.create(Wanted.FULL)
    assert backups.note_verified(backups.verify(None))
    report = backups.drill()
    assert report["passed"], report
    found = backups.ledger.newest()
    assert found.taken_at == taken.statement.taken_at
    assert found.drilled_at is not None
    assert found.rto == report["rto_seconds"]
    Sequencer(yard.address.dsn(DatabaseRole.SEQUENCER), yard.signer).drain_once()
    with Sessions(yard.address, min_size=0, name="reader") as sessions, sessions.tenant(DEPLOYMENT) as conn:
        rows = conn.execute("SELECT data FROM atom.audit_entries ORDER BY entry_index DESC LIMIT 20").fetchall()
        verified = conn.execute("SELECT verified_at FROM atom.backups WHERE id = %s", (taken.statement.id,)).fetchone()
    entries = [entry_of(bytes(row["data"])) for row in rows]
    made = next(entry for entry in entries if entry["action"] == "backup.create")
    assert made["subject"] == f"backup/{taken.statement.id}"
    assert made["digests"] == {"statement": taken.digest, "manifest": taken.statement.manifest}
    assert any(entry["action"] == "backup.drill" and entry["result"] == "ok" for entry in entries)
    assert verified is not None
    assert verified["verified_at"] is not None


def test_nothing_that_is_in_the_database_is_readable_in_the_store(yard: Yard, store: LockedMemory) -> None:
    tenant_id = yard.work(1)
    yard.backups(store).create(Wanted.FULL)
    name = str(tenant_id).encode()
    assert store.objects
    assert not any(name in data or b"atom_owner" in data for data in store.objects.values())


def test_one_backup_at_a_time(yard: Yard, store: LockedMemory) -> None:
    with psycopg.connect(yard.address.dsn(DatabaseRole.BACKUP)) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (taking.LOCK,))
        with pytest.raises(AtomError) as caught:
            yard.backups(store).create(Wanted.FULL)
    assert caught.value.code is codes.BUSY
    assert store.objects == {}
