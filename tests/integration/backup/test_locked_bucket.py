"""Backups in a bucket with Object Lock: retained as asked, and whole for whoever restores."""

from __future__ import annotations

import datetime

import pytest
from tests.fakes.backed_up import Yard
from tests.servers.s3 import S3Server

from atomctl.backup import codes
from atomctl.backup.plan import Wanted
from atomctl.db.ids import new_id
from atomctl.errors import AtomError
from atomctl.objects import codes as object_codes
from atomctl.objects.locking import LockMode
from atomctl.objects.s3_client import S3Place
from atomctl.objects.s3_locked import S3LockedStore

DAY = datetime.timedelta(days=1)


def bucket(s3: S3Server, *, lock: bool) -> S3LockedStore:
    name = s3.create_bucket(f"backups-{new_id().hex[-12:]}", lock=lock)
    keys = {"access_key": s3.access_key, "secret_key": s3.secret_key}
    return S3LockedStore(S3Place(bucket=name, endpoint=s3.endpoint, timeout=2.0, attempts=1, **keys))


def test_every_object_of_a_set_is_locked_and_retention_waits_for_it(yard: Yard, s3: S3Server) -> None:
    store = bucket(s3, lock=True)
    backups = yard.backups(store, lock_for=30 * DAY)
    first = backups.create(Wanted.FULL)
    keys = list(store.keys("backups/"))
    assert len(keys) == 4
    for key in keys:
        retention = store.retention(key)
        assert retention.mode is LockMode.COMPLIANCE
        assert retention.until is not None
        assert retention.until >= (first.statement.started_at + 30 * DAY).replace(microsecond=0)
    backups.create(Wanted.FULL)
    assert backups.prune(datetime.datetime.now(datetime.UTC)) == []
    assert len(backups.shelf.ids()) == 2
    with pytest.raises(AtomError) as caught:
        backups.shelf.remove(first.statement.id)
    assert caught.value.code is object_codes.RETAINED
    assert backups.verify(str(first.statement.id)) == [first]


def test_an_object_written_over_a_locked_one_changes_nothing(yard: Yard, s3: S3Server) -> None:
    store = bucket(s3, lock=True)
    backups = yard.backups(store, lock_for=DAY)
    taken = backups.create(Wanted.FULL)
    s3.client().put_object(Bucket=store.place.bucket, Key=next(store.keys("backups/sets/")), Body=b"forged")
    s3.client().delete_object(Bucket=store.place.bucket, Key=next(store.keys("backups/statements/")))
    assert backups.verify(None) == [taken]
    backups.restorer.try_out(taken)


def test_a_bucket_that_cannot_lock_is_refused_where_locks_were_asked_for(yard: Yard, s3: S3Server) -> None:
    store = bucket(s3, lock=False)
    with pytest.raises(AtomError) as caught:
        yard.backups(store, lock_for=DAY).create(Wanted.FULL)
    assert caught.value.code is object_codes.NOT_LOCKED
    assert list(store.keys("backups/")) == []
    backups = yard.backups(store)
    taken = backups.create(Wanted.FULL)
    assert backups.verify(None) == [taken]


def test_a_store_that_stops_answering_is_named(yard: Yard, s3: S3Server) -> None:
    store = bucket(s3, lock=False)
    backups = yard.backups(store)
    backups.create(Wanted.FULL)
    s3.pause()
    try:
        with pytest.raises(AtomError) as caught:
            backups.verify(None)
    finally:
        s3.resume()
    assert caught.value.code.id.startswith("OBJ")
    assert caught.value.code not in codes.CODES
    backups.verify(None)
