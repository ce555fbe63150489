"""A restore goes on under a new name that says what was lost; verification follows from name to name."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from tests.servers.s3 import S3Server

from atomctl.audit import codes
from atomctl.audit.anchor import Anchor, newest_anchor
from atomctl.audit.anchored import judge
from atomctl.audit.anchors import Anchorer
from atomctl.audit.chain import ACTION
from atomctl.audit.checkpoint import parse_checkpoint, sign_checkpoint
from atomctl.audit.epochs import begin_epoch
from atomctl.audit.export import export_bundle
from atomctl.audit.gather import gather
from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.live import verify_live
from atomctl.audit.model import DEPLOYMENT, Entry
from atomctl.audit.names import LogName
from atomctl.audit.proofs import last_checkpoint, prove_entry
from atomctl.audit.record import record
from atomctl.audit.sequencer import LOCK, Sequencer
from atomctl.audit.verdict import AuditVerdict, Outcome
from atomctl.audit.verify import verify_bundle
from atomctl.db.address import DatabaseAddress, admin_from_credentials
from atomctl.db.bootstrap import bootstrap
from atomctl.db.connections import SESSION, connect
from atomctl.db.embedded import EmbeddedPostgres
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.objects.s3_client import S3Place
from atomctl.objects.s3_locked import S3LockedStore

RETENTION = timedelta(minutes=10)
_numbers = itertools.count()


class Instance:
    """An audit log, what was anchored of it, and an older copy of its database to be restored."""

    def __init__(self, key: FileKey, store: S3LockedStore, tenant: UUID) -> None:
        self.key, self.store, self.tenant = key, store, tenant
        self.address: DatabaseAddress
        self.early: bytes
        self.late: bytes

    def sequence(self) -> None:
        Sequencer(self.address.dsn(DatabaseRole.SEQUENCER), self.key).drain_once()

    def anchor(self) -> None:
        Anchorer(self.address.dsn(DatabaseRole.SEQUENCER), self.store, RETENTION).anchor_now()

    def note_down(self, count: int) -> list[UUID]:
        with Sessions(self.address, min_size=0) as sessions, sessions.tenant(self.tenant) as connection:
            return [
                record(connection, self.tenant, Entry(action="test.happened", subject=f"thing/{number}"))
                for number in range(count)
            ]

    def begin(self, last_anchor: bytes | None, **more: object) -> int:
        dsn = self.address.dsn(DatabaseRole.SEQUENCER)
        with connect(dsn, options=SESSION) as connection:
            return begin_epoch(connection, "restored from the backup of noon", last_anchor, **more)  # type: ignore[arg-type]  # the test's own

    def newest(self) -> Anchor:
        found = newest_anchor(self.store, self.key.vkey.name)
        assert found is not None
        return found

    def checkpoint(self) -> bytes:
        with Sessions(self.address, min_size=0) as sessions, sessions.tenant(self.tenant) as connection:
            return bytes(last_checkpoint(connection, self.tenant)["note"])

    def verify(self, *witnessed: bytes) -> AuditVerdict:
        """The live log, compared with the newest anchor."""
        with Sessions(self.address, min_size=0) as sessions:
            with sessions.tenant(DEPLOYMENT) as connection:
                evidence = gather(connection, self.tenant, self.newest())
            anchored = judge(evidence, self.tenant, [self.key.vkey])
            known = [anchored.checkpoint] if anchored.checkpoint is not None else []
            with sessions.tenant(self.tenant) as connection:
                verdict = verify_live(
                    connection, self.tenant, trusted=[self.key.vkey], witnessed=witnessed, anchored=known
                )
        return verdict.with_findings(anchored.findings)


@pytest.fixture
def restored(
    *,
    postgres: EmbeddedPostgres,
    database: DatabaseAddress,
    key: FileKey,
    s3: S3Server,
) -> Iterator[Instance]:
    """Twenty entries, a backup, ten more that were anchored, and then the database of the backup in their place."""
    keys = {"access_key": s3.access_key, "secret_key": s3.secret_key}
    bucket = s3.create_bucket(f"epochs-{next(_numbers)}", lock=True)
    store = S3LockedStore(S3Place(bucket=bucket, endpoint=s3.endpoint, timeout=5.0, attempts=1, **keys))
    instance = Instance(key, store, new_id())
    instance.address = database
    instance.note_down(20)
    instance.sequence()
    instance.anchor()
    instance.early = instance.checkpoint()
    copy = database.in_database(f"{database.dbname}_restored")
    admin = postgres.admin
    names = (sql.Identifier(copy.dbname), sql.Identifier(database.dbname))
    with admin.connect("postgres") as connection:
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY").format(*names))
        bootstrap(admin_from_credentials(copy))
        for _ in range(5):
            instance.note_down(2)
            instance.sequence()
        instance.anchor()
        instance.late = instance.checkpoint()
        instance.address = copy
        yield instance
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(names[0]))


def test_a_restored_database_that_simply_goes_on_is_broken(restored: Instance) -> None:
    assert restored.verify().code is codes.TRUNCATED
    for _ in range(8):
        restored.note_down(3)
        restored.sequence()
    assert restored.verify().code is codes.FORKED


def test_an_epoch_goes_on_under_a_new_name_and_says_what_was_lost(restored: Instance) -> None:
    anchor = restored.newest()
    assert restored.begin(anchor.note, anchored_sizes={restored.tenant: 30}) == 2
    restored.note_down(5)
    restored.sequence()
    verdict = restored.verify()
    assert (verdict.outcome, verdict.findings) == (Outcome.VERIFIED, ())
    assert verdict.checkpoint.origin == f"{restored.key.vkey.name}/e2/{restored.tenant}"
    (epoch,) = verdict.epochs
    assert (epoch.previous, epoch.first, epoch.lost) == (f"{restored.key.vkey.name}/{restored.tenant}", 20, 10)
    assert epoch.anchor == anchor.note.decode()
    assert verdict.entries == 20 + 1 + 5


def test_the_new_epoch_is_anchored_and_compared_like_the_one_before(restored: Instance) -> None:
    restored.begin(restored.newest().note)
    restored.note_down(1)
    restored.sequence()
    assert restored.verify().warnings == (codes.UNANCHORED,), "the last anchor covers what was lost"
    restored.anchor()
    assert restored.newest().epoch == 2
    restored.note_down(3)
    restored.sequence()
    assert restored.verify().anchored


def test_checkpoints_kept_from_before_still_hold_and_lost_ones_are_told_apart(restored: Instance) -> None:
    restored.begin(restored.newest().note, anchored_sizes={restored.tenant: 30})
    restored.note_down(40)
    restored.sequence()
    assert restored.verify(restored.early).anchored
    assert restored.verify(restored.late).findings == (), "it was lost, and the epoch says so"
    point = parse_checkpoint(restored.late)[0]
    more = sign_checkpoint(replace(point, size=31), restored.key)
    assert restored.verify(more).code is codes.FORKED, "the epoch says that less had been anchored"
    other = sign_checkpoint(replace(parse_checkpoint(restored.early)[0], root=bytes(32)), restored.key)
    assert restored.verify(other).code is codes.FORKED


def test_an_epoch_that_hides_a_later_anchor_is_a_fork(restored: Instance) -> None:
    with Sessions(restored.address, min_size=0) as sessions, sessions.tenant(DEPLOYMENT) as connection:
        older = bytes(last_checkpoint(connection, DEPLOYMENT)["note"])
    restored.begin(older)
    restored.note_down(5)
    restored.sequence()
    assert restored.verify().code is codes.TRUNCATED


def test_an_epoch_without_its_entry_is_a_fork(restored: Instance, postgres: EmbeddedPostgres) -> None:
    """Somebody with the key signs under a new name, without saying from where."""
    with postgres.admin.connect(restored.address.dbname) as connection:
        for row in connection.execute("SELECT tenant_id, origin FROM atom.audit_heads").fetchall():
            renamed = str(LogName.parse(row["origin"]).in_epoch(2))
            connection.execute(
                "UPDATE atom.audit_heads SET origin = %s WHERE tenant_id = %s", (renamed, row["tenant_id"])
            )
    restored.note_down(20)
    restored.sequence()
    assert restored.verify().code in {codes.FORKED, codes.BAD_SIGNATURE}


def test_every_log_turns_at_once_and_new_tenants_begin_in_the_new_epoch(restored: Instance) -> None:
    restored.begin(restored.newest().note)
    fresh = Instance(restored.key, restored.store, new_id())
    fresh.address = restored.address
    fresh.note_down(1)
    fresh.sequence()
    with connect(restored.address.dsn(DatabaseRole.SEQUENCER)) as connection:
        rows = connection.execute("SELECT origin FROM atom.audit_heads").fetchall()
    assert {LogName.parse(row["origin"]).epoch for row in rows} == {2}
    assert len(rows) == 3
    assert fresh.verify().outcome is Outcome.VERIFIED


def test_a_second_restore_opens_a_third_epoch_and_the_chain_is_followed(restored: Instance) -> None:
    restored.begin(restored.newest().note)
    restored.note_down(5)
    restored.sequence()
    restored.anchor()
    assert restored.begin(restored.newest().note) == 3
    restored.note_down(5)
    restored.sequence()
    verdict = restored.verify(restored.early)
    assert verdict.findings == ()
    assert [LogName.parse(epoch.origin).epoch for epoch in verdict.epochs] == [2, 3]
    restored.anchor()
    assert restored.verify().anchored


def test_a_bundle_shows_the_epochs_offline(restored: Instance, tmp_path: Path) -> None:
    (survivor,) = restored.note_down(1)
    restored.begin(restored.newest().note)
    restored.note_down(2)
    restored.sequence()
    path = tmp_path / "log.atomaudit"
    with Sessions(restored.address, min_size=0) as sessions, sessions.tenant(restored.tenant) as connection:
        with path.open("wb") as out:
            export_bundle(connection, restored.tenant, out=out)
        assert prove_entry(connection, restored.tenant, survivor).index == 21
    trusted = [restored.key.vkey]
    verdict = verify_bundle(path, trusted=trusted, witnessed=[restored.early])
    assert (verdict.outcome, verdict.anchored) == (Outcome.VERIFIED, True)
    assert verdict.to_json()["epochs"] == [
        {"origin": verdict.checkpoint.origin, "restored": 20, "lost": None, "why": "restored from the backup of noon"}
    ]
    assert verify_bundle(path, trusted=trusted, witnessed=[restored.late]).findings == ()


def test_no_process_but_the_sequencer_can_begin_an_epoch(restored: Instance) -> None:
    with (
        Sessions(restored.address, min_size=0) as sessions,
        pytest.raises(psycopg.errors.CheckViolation, match="begins_no_epoch"),
        sessions.tenant(restored.tenant) as connection,
    ):
        record(connection, restored.tenant, Entry(action=ACTION, subject="log/forged"))


def test_an_epoch_is_not_begun_beside_a_running_sequencer(restored: Instance) -> None:
    with connect(restored.address.dsn(DatabaseRole.SEQUENCER)) as leader:
        leader.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        with pytest.raises(AtomError) as caught:
            restored.begin(None)
    assert caught.value.code is codes.NOT_LEADING


def test_an_anchor_of_another_deployment_or_history_is_refused(restored: Instance, tmp_path: Path) -> None:
    foreign = sign_checkpoint(
        replace(restored.newest().checkpoint, origin="atomctl/0000000000000000"), create_key(tmp_path / "k.key")
    )
    with pytest.raises(AtomError) as caught:
        restored.begin(foreign)
    assert caught.value.code is codes.BAD_NOTE
    other = sign_checkpoint(replace(restored.newest().checkpoint, size=1, root=bytes(32)), restored.key)
    with pytest.raises(AtomError) as caught:
        restored.begin(other)
    assert caught.value.code is codes.FORKED
    assert restored.begin(restored.newest().note) == 2, "the refusals changed nothing"


def test_a_database_without_a_log_has_nothing_to_go_on(database: DatabaseAddress) -> None:
    with (
        connect(database.dsn(DatabaseRole.SEQUENCER), options=SESSION) as connection,
        pytest.raises(AtomError) as caught,
    ):
        begin_epoch(connection, "restored", None)
    assert caught.value.code is codes.NO_ENTRY


def test_the_connection_is_free_to_sequence_afterwards(restored: Instance) -> None:
    dsn = restored.address.dsn(DatabaseRole.SEQUENCER)
    with connect(dsn, options=SESSION) as connection:
        begin_epoch(connection, "restored", None)
        restored.sequence()
    assert restored.verify().code is codes.TRUNCATED, "no anchor was named, and one was there"
