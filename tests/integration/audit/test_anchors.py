"""Anchors in a bucket under Object Lock: what a superuser who holds the log's key still cannot hide."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from tests.servers.s3 import S3Server
from tests.servers.waiting import wait_until

from atomctl.audit import codes
from atomctl.audit.anchor import newest_anchor, tile_key
from atomctl.audit.anchored import Anchored, extension_finding, judge, shown_finding
from atomctl.audit.anchors import Anchorer, AnchorPace
from atomctl.audit.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from atomctl.audit.evidence import read_evidence
from atomctl.audit.export import export_bundle
from atomctl.audit.gather import gather
from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.live import verify_live
from atomctl.audit.merkle import leaf_hash
from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.names import LogName
from atomctl.audit.proofs import last_checkpoint, prove_consistency
from atomctl.audit.sequencer import Sequencer
from atomctl.audit.tiles import WIDTH, entries_path, tile_path
from atomctl.audit.verdict import AuditVerdict, Outcome
from atomctl.audit.verify import verify_bundle
from atomctl.db.address import DatabaseAddress
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError
from atomctl.objects import codes as object_codes
from atomctl.objects.locking import LockMode
from atomctl.objects.s3_client import S3Place
from atomctl.objects.s3_locked import S3LockedStore
from atomctl.telemetry import metrics

NoteDown = Callable[..., list[UUID]]
RETENTION = timedelta(minutes=10)
_numbers = itertools.count()

WIPE = """
DELETE FROM atom.audit_entries; DELETE FROM atom.audit_tiles; DELETE FROM atom.audit_heads;
DELETE FROM atom.audit_checkpoints; DELETE FROM atom.audit_inbox;
"""
"""What a superuser does before he tells another story; the anchors' table he has no reason to keep."""


def _store(server: S3Server, bucket: str) -> S3LockedStore:
    keys = {"access_key": server.access_key, "secret_key": server.secret_key}
    return S3LockedStore(S3Place(bucket=bucket, endpoint=server.endpoint, timeout=5.0, attempts=1, **keys))


@pytest.fixture
def bucket(s3: S3Server) -> S3LockedStore:
    return _store(s3, s3.create_bucket(f"anchors-{next(_numbers)}", lock=True))


@pytest.fixture
def anchorer(database: DatabaseAddress, bucket: S3LockedStore) -> Anchorer:
    return Anchorer(database.dsn(DatabaseRole.SEQUENCER), bucket, RETENTION)


@pytest.fixture
def base(key: FileKey) -> str:
    return key.vkey.name


@pytest.fixture
def judged(sessions: Sessions, bucket: S3LockedStore, base: str, key: FileKey) -> Callable[[UUID], Anchored]:
    """What the newest anchor proves about a tenant's log, by way of the document that the API gives."""

    def look(tenant_id: UUID) -> Anchored:
        anchor = newest_anchor(bucket, base)
        assert anchor is not None
        with sessions.tenant(DEPLOYMENT) as connection:
            evidence = gather(connection, tenant_id, anchor)
        return judge(read_evidence(evidence.to_json()), tenant_id, [key.vkey])

    return look


@pytest.fixture
def verified(sessions: Sessions, key: FileKey, judged: Callable[[UUID], Anchored]) -> Callable[[UUID], AuditVerdict]:
    """The verdict over the live log of a tenant, compared with the newest anchor."""

    def verify(tenant_id: UUID) -> AuditVerdict:
        anchored = judged(tenant_id)
        known = [anchored.checkpoint] if anchored.checkpoint is not None else []
        with sessions.tenant(tenant_id) as connection:
            return verify_live(connection, tenant_id, trusted=[key.vkey], anchored=known).with_findings(
                anchored.findings
            )

    return verify


@pytest.fixture
def log(tenant: UUID, note_down: NoteDown, sequencer: Sequencer, anchorer: Anchorer) -> UUID:
    """A tenant's log that was anchored."""
    note_down(tenant, 20)
    sequencer.drain_once()
    assert anchorer.anchor_now() is not None
    return tenant


def test_an_anchored_log_is_verified_without_a_warning(log: UUID, verified: Callable[[UUID], AuditVerdict]) -> None:
    verdict = verified(log)
    assert (verdict.outcome, verdict.anchored, verdict.warnings) == (Outcome.VERIFIED, True, ())


def test_a_log_that_grew_after_the_anchor_still_continues_it(
    log: UUID, note_down: NoteDown, sequencer: Sequencer, verified: Callable[[UUID], AuditVerdict]
) -> None:
    for count in (1, 300):
        note_down(log, count)
        sequencer.drain_once()
    assert verified(log).anchored


def test_a_tenant_that_came_after_the_anchor_is_unanchored_and_not_broken(
    *,
    log: UUID,
    make_tenant: Callable[[str], UUID],
    note_down: NoteDown,
    sequencer: Sequencer,
    verified: Callable[[UUID], AuditVerdict],
) -> None:
    late = make_tenant("late")
    note_down(late)
    sequencer.drain_once()
    verdict = verified(late)
    assert (verdict.outcome, verdict.warnings) == (Outcome.VERIFIED, (codes.UNANCHORED,))


def test_each_object_is_locked_and_the_checkpoint_carries_the_deployments_signature(
    log: UUID, bucket: S3LockedStore, base: str
) -> None:
    anchor = newest_anchor(bucket, base)
    assert anchor is not None
    assert anchor.checkpoint.origin == base
    assert {bucket.retention(key).mode for key in bucket.keys("audit/")} == {LockMode.COMPLIANCE}
    with pytest.raises(AtomError) as caught:
        bucket.remove(anchor.key)
    assert caught.value.code is object_codes.RETAINED


def test_nothing_is_carried_while_nothing_changed(log: UUID, anchorer: Anchorer, bucket: S3LockedStore) -> None:
    before = list(bucket.keys(""))
    assert anchorer.anchor_now() is None
    assert list(bucket.keys("")) == before


def test_full_tiles_and_their_entries_lie_beside_the_checkpoint(
    *,
    note_down: NoteDown,
    sequencer: Sequencer,
    anchorer: Anchorer,
    bucket: S3LockedStore,
    base: str,
) -> None:
    tenants = [new_id() for _ in range(26)]
    for number in range(10):
        for each in tenants:
            note_down(each)
        sequencer.drain_once()
        if number == 3:
            anchorer.anchor_now()
    point = anchorer.anchor_now()
    assert point is not None
    assert point.size > WIDTH
    name = LogName.parse(base)
    bundle, hashes = bucket.get(tile_key(name, entries_path(0))), bucket.get(tile_key(name, tile_path(0, 0)))
    leaves = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        leaves.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    assert len(leaves) == WIDTH
    assert b"".join(leaf_hash(leaf) for leaf in leaves) == hashes
    assert len(bucket.get(tile_key(name, tile_path(0, 1, point.size - WIDTH)))) == 32 * (point.size - WIDTH)


def test_a_rewritten_and_newly_signed_log_is_a_fork(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    superuser: Connection,
    sessions: Sessions,
    key: FileKey,
    verified: Callable[[UUID], AuditVerdict],
) -> None:
    """The superuser holds the log's key, wipes everything, and signs another history of the same length."""
    superuser.execute(WIPE)
    note_down(log, 20)
    sequencer.drain_once()
    with sessions.tenant(log) as connection:
        alone = verify_live(connection, log, trusted=[key.vkey])
    assert alone.outcome is Outcome.VERIFIED, "without an anchor nobody can tell"
    verdict = verified(log)
    assert (verdict.outcome, verdict.code) == (Outcome.BROKEN, codes.FORKED)


def test_a_log_whose_end_was_cut_off_and_newly_signed_is_truncated(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    anchorer: Anchorer,
    superuser: Connection,
    verified: Callable[[UUID], AuditVerdict],
) -> None:
    for _ in range(3):
        note_down(log)
        sequencer.drain_once()
    anchorer.anchor_now()
    superuser.execute(WIPE)
    note_down(log, 5)
    sequencer.drain_once()
    assert verified(log).code is codes.TRUNCATED


def test_one_tenants_rewritten_log_contradicts_its_checkpoint_in_the_deployments_log(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    superuser: Connection,
    verified: Callable[[UUID], AuditVerdict],
    make_tenant: Callable[[str], UUID],
) -> None:
    """The deployment's log is left as it was: only the tenant's tables are rewritten."""
    for table in ("audit_entries", "audit_tiles", "audit_heads", "audit_checkpoints"):
        superuser.execute(f"DELETE FROM atom.{table} WHERE tenant_id = %s", (log,))
    note_down(log, 25)
    sequencer.drain_once()
    assert verified(log).code is codes.FORKED


def test_a_hidden_deletion_marker_does_not_hide_the_anchor(
    *,
    log: UUID,
    bucket: S3LockedStore,
    base: str,
    s3: S3Server,
    superuser: Connection,
    verified: Callable[..., AuditVerdict],
) -> None:
    client = s3.client()
    for key in list(bucket.keys("audit/")):
        client.delete_object(Bucket=bucket.place.bucket, Key=key)
    client.close()
    assert verified(log).anchored


def test_an_anchor_signed_by_somebody_else_is_a_bad_signature(
    log: UUID, bucket: S3LockedStore, judged: Callable[[UUID], Anchored], base: str, tmp_path: Path
) -> None:
    anchor = newest_anchor(bucket, base)
    assert anchor is not None
    forged = sign_checkpoint(replace(anchor.checkpoint, size=10**6), create_key(tmp_path / "forger.key"))
    bucket.put(anchor.key.rpartition("/")[0] + f"/999998.{10**19 - 1 - 10**6:019d}-e1-{10**6}", forged)
    assert [finding.code for finding in judged(log).findings] == [codes.BAD_SIGNATURE]


def test_what_lies_under_another_size_than_its_own_is_no_anchor(log: UUID, bucket: S3LockedStore, base: str) -> None:
    anchor = newest_anchor(bucket, base)
    assert anchor is not None
    bucket.put(anchor.key.rpartition("/")[0] + f"/999998.{10**19 - 1 - 10**6:019d}-e1-{10**6}", anchor.note)
    with pytest.raises(AtomError) as caught:
        newest_anchor(bucket, base)
    assert caught.value.code is codes.BAD_NOTE


def test_a_bundle_is_compared_offline_with_the_tenants_anchored_checkpoint(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    sessions: Sessions,
    key: FileKey,
    judged: Callable[[UUID], Anchored],
    tmp_path: Path,
) -> None:
    anchored = judged(log).checkpoint
    assert anchored is not None
    note_down(log, 3)
    sequencer.drain_once()
    path = tmp_path / "log.atomaudit"
    with sessions.tenant(log) as connection, path.open("wb") as out:
        export_bundle(connection, log, out=out)
        newest = last_checkpoint(connection, log)
        proof = prove_consistency(connection, log, parse_checkpoint(anchored)[0].size, newest["size"])
    assert verify_bundle(path, trusted=[key.vkey], anchored=[anchored]).warnings == ()
    older, newer = parse_checkpoint(anchored)[0], parse_checkpoint(bytes(newest["note"]))[0]
    later = sign_checkpoint(replace(newer, size=newer.size + 1, root=bytes(32)), key)
    assert verify_bundle(path, trusted=[key.vkey], anchored=[later]).code is codes.TRUNCATED

    assert extension_finding(older, newer, proof) is None
    for wrong, expected in (
        (extension_finding(older, newer, ()), codes.FORKED),
        (extension_finding(replace(older, root=bytes(32)), newer, proof), codes.FORKED),
        (extension_finding(replace(newer, size=newer.size + 1), newer, proof), codes.TRUNCATED),
    ):
        assert wrong is not None
        assert wrong.code is expected


def test_a_server_that_shows_an_older_anchor_or_none_is_caught_by_who_reads_the_bucket(
    *, log: UUID, note_down: NoteDown, sequencer: Sequencer, anchorer: Anchorer, bucket: S3LockedStore, base: str
) -> None:
    old = newest_anchor(bucket, base)
    note_down(log)
    sequencer.drain_once()
    anchorer.anchor_now()
    new = newest_anchor(bucket, base)
    assert old is not None
    assert new is not None
    assert shown_finding(None, None, bucket) is None
    assert shown_finding(new, new, bucket) is None
    assert shown_finding(new, old, bucket) is None, "the server may have seen a newer one"
    for shown in (None, old, replace(new, note=old.note)):
        finding = shown_finding(shown, new, bucket)
        assert finding is not None
        assert finding.code is codes.FORKED


def test_a_database_behind_its_anchors_is_not_anchored(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    anchorer: Anchorer,
    superuser: Connection,
    bucket: S3LockedStore,
) -> None:
    for _ in range(3):
        note_down(log)
        sequencer.drain_once()
    anchorer.anchor_now()
    before = list(bucket.keys(""))
    superuser.execute(WIPE)
    superuser.execute("DELETE FROM atom.audit_anchors")
    note_down(log)
    sequencer.drain_once()
    with pytest.raises(AtomError) as caught:
        anchorer.anchor_now()
    assert caught.value.code is codes.BEHIND
    assert list(bucket.keys("")) == before


def test_another_history_of_the_same_length_is_not_anchored(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    anchorer: Anchorer,
    superuser: Connection,
    bucket: S3LockedStore,
) -> None:
    superuser.execute(WIPE)
    superuser.execute("DELETE FROM atom.audit_anchors")
    for _ in range(3):
        note_down(log)
        sequencer.drain_once()
    before = list(bucket.keys(""))
    with pytest.raises(AtomError) as caught:
        anchorer.anchor_now()
    assert caught.value.code is codes.FORKED
    assert list(bucket.keys("")) == before


def test_what_was_carried_before_a_crash_is_not_carried_twice(
    log: UUID, anchorer: Anchorer, superuser: Connection, bucket: S3LockedStore
) -> None:
    before = list(bucket.keys(""))
    superuser.execute("DELETE FROM atom.audit_anchors")
    assert anchorer.anchor_now() is not None
    assert list(bucket.keys("")) == before
    assert superuser.execute("SELECT count(*) AS n FROM atom.audit_anchors").fetchone() == {"n": 1}


def test_a_worker_anchors_by_itself_and_makes_up_for_an_outage(
    *,
    tenant: UUID,
    note_down: NoteDown,
    database: DatabaseAddress,
    another: Callable[..., Sequencer],
    running: Callable[..., AbstractContextManager[None]],
    tmp_path: Path,
    base: str,
    superuser: Connection,
) -> None:
    def anchored() -> int:
        row = superuser.execute("SELECT coalesce(max(size), 0) AS size FROM atom.audit_anchors").fetchone()
        return int(row["size"]) if row else 0

    def age() -> float:
        lines = metrics.render().decode().splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("atom_audit_anchor_age_seconds ")))

    quick = AnchorPace(every=timedelta(milliseconds=200), look=timedelta(milliseconds=50))
    with S3Server(tmp_path / "s3") as server:
        store = _store(server, server.create_bucket("anchors", lock=True))
        loops = [Anchorer(database.dsn(DatabaseRole.SEQUENCER), store, RETENTION, quick) for _ in range(2)]
        sequencer = another(checkpoint_every=timedelta(milliseconds=50))
        note_down(tenant, 3)
        with running(sequencer, *loops):
            wait_until(lambda: anchored() > 0 and age() == 0, "the first checkpoint is anchored")
            first = anchored()
            server.stop()
            note_down(tenant, 3)
            wait_until(lambda: age() > 0, "what is not anchored grows old")
            assert anchored() == first
            server.start()
            wait_until(lambda: anchored() > first and age() == 0, "the outage is made up for")
        newest = newest_anchor(store, base)
        assert newest is not None
        assert newest.checkpoint.size == anchored()


def test_the_pace_is_a_time_or_a_number_of_records(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    database: DatabaseAddress,
    bucket: S3LockedStore,
    superuser: Connection,
) -> None:
    def anchors() -> int:
        row = superuser.execute("SELECT count(*) AS n FROM atom.audit_anchors").fetchone()
        return int(row["n"]) if row else 0

    def look(pace: AnchorPace) -> None:
        Anchorer(database.dsn(DatabaseRole.SEQUENCER), bucket, RETENTION, pace).look(superuser)

    note_down(log, 50)
    sequencer.drain_once()
    look(AnchorPace(every=timedelta(hours=1), records=1_000))
    assert anchors() == 1
    look(AnchorPace(every=timedelta(hours=1), records=50))
    assert anchors() == 2
    note_down(log)
    sequencer.drain_once()
    look(AnchorPace(every=timedelta(0), records=1_000))
    assert anchors() == 3
    look(AnchorPace(every=timedelta(0), records=1))
    assert anchors() == 3, "nothing changed"


def test_stopping_is_prompt_while_the_bucket_is_away(database: DatabaseAddress, tmp_path: Path) -> None:
    with S3Server(tmp_path / "s3") as server:
        store = _store(server, server.create_bucket("anchors", lock=True))
    stop = threading.Event()
    thread = threading.Thread(target=Anchorer(database.dsn(DatabaseRole.SEQUENCER), store, RETENTION).run, args=(stop,))
    thread.start()
    stop.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_checkpoint_of_another_deployment_is_none_of_ours(bucket: S3LockedStore, log: UUID) -> None:
    assert newest_anchor(bucket, "atomctl/0000000000000000") is None


def test_evidence_that_is_none_is_refused() -> None:
    for document in ({}, {"retention": None}, {"retention": {"until": "x"}, "finding": None, "leaf": 3}):
        with pytest.raises(AtomError) as caught:
            read_evidence(document)
        assert caught.value.code is codes.BAD_NOTE


def test_evidence_for_another_tenant_proves_nothing(
    *,
    log: UUID,
    note_down: NoteDown,
    sequencer: Sequencer,
    anchorer: Anchorer,
    sessions: Sessions,
    bucket: S3LockedStore,
    base: str,
    key: FileKey,
    make_tenant: Callable[[str], UUID],
) -> None:
    note_down(log)
    sequencer.drain_once()
    anchorer.anchor_now()
    anchor = newest_anchor(bucket, base)
    assert anchor is not None
    with sessions.tenant(DEPLOYMENT) as connection:
        evidence = gather(connection, log, anchor)
    for changed, expected in (
        (judge(evidence, make_tenant("other"), [key.vkey]), codes.CHANGED),
        (judge(replace(evidence, index=evidence.index + 1), log, [key.vkey]), codes.FORKED),
        (judge(replace(evidence, proof=()), log, [key.vkey]), codes.FORKED),
        (judge(evidence, log, []), codes.BAD_SIGNATURE),
    ):
        assert changed.checkpoint is None
        assert [finding.code for finding in changed.findings] == [expected]


def test_the_order_of_keys_puts_the_newest_first() -> None:
    from atomctl.audit.anchor import checkpoint_key

    first, second = LogName("atomctl/a", DEPLOYMENT), LogName("atomctl/a", DEPLOYMENT, 2)
    newest_first = [(second, 10), (second, 9), (first, 100_000), (first, 11), (first, 2)]
    keys = [checkpoint_key(name, size) for name, size in newest_first]
    assert keys == sorted(keys)
    assert Checkpoint(str(second), 1, bytes(32)).origin == "atomctl/a/e2"
