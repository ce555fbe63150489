"""Object Lock on a real server: what was retained stays, and is read whatever was put in front of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.servers.s3 import S3Server
from tests.servers.waiting import wait_until

from atomctl.cli.bucket_checks import bucket_checks
from atomctl.errors import AtomError, Code
from atomctl.objects import codes
from atomctl.objects.locking import LockMode
from atomctl.objects.probe import PREFIX, Attack, Enforcement, probe_lock
from atomctl.objects.s3_client import S3Place
from atomctl.objects.s3_locked import S3LockedStore
from atomctl.settings import Settings

KEY = "audit/origin/checkpoint/1"
Places = Callable[..., S3Place]


def _refusal(code: Code, action: Callable[[], object]) -> None:
    with pytest.raises(AtomError) as caught:
        action()
    assert caught.value.code is code, caught.value


def _soon(seconds: float = 600) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def test_a_locked_object_is_retained_in_compliance_mode_and_cannot_be_removed(locked: S3LockedStore) -> None:
    until = _soon()
    locked.put_locked(KEY, b"evidence", until)
    found = locked.retention(KEY)
    assert found.mode is LockMode.COMPLIANCE
    assert found.until is not None
    assert abs(found.until - until) < timedelta(seconds=1)
    _refusal(codes.RETAINED, lambda: locked.remove(KEY))
    assert locked.get(KEY) == b"evidence"


def test_the_same_bytes_again_extend_the_retention_and_never_shorten_it(locked: S3LockedStore) -> None:
    locked.put_locked(KEY, b"evidence", _soon(600))
    locked.put_locked(KEY, b"evidence", _soon(1200))
    locked.put_locked(KEY, b"evidence", _soon(300))
    until = locked.retention(KEY).until
    assert until is not None
    assert until > _soon(1000)
    _refusal(codes.CONFLICT, lambda: locked.put_locked(KEY, b"other", _soon()))


def test_an_object_that_was_put_without_lock_is_locked_when_it_is_asked_for(locked: S3LockedStore) -> None:
    locked.put(KEY, b"evidence")
    assert locked.retention(KEY).mode is LockMode.UNLOCKED
    locked.put_locked(KEY, b"evidence", _soon())
    assert locked.retention(KEY).mode is LockMode.COMPLIANCE


def test_a_deletion_marker_hides_nothing(locked: S3LockedStore, s3: S3Server) -> None:
    locked.put_locked(KEY, b"evidence", _soon())
    client = s3.client()
    assert client.delete_object(Bucket=locked.place.bucket, Key=KEY)["DeleteMarker"]
    client.close()
    assert locked.exists(KEY)
    assert locked.get(KEY) == b"evidence"
    assert list(locked.keys("audit/")) == [KEY]
    locked.put_locked(KEY, b"evidence", _soon())


def test_a_version_written_over_it_hides_nothing(locked: S3LockedStore, s3: S3Server) -> None:
    locked.put_locked(KEY, b"evidence", _soon())
    client = s3.client()
    client.put_object(Bucket=locked.place.bucket, Key=KEY, Body=b"a better story")
    client.close()
    assert locked.get(KEY) == b"evidence"
    assert list(locked.keys("")) == [KEY]


def test_an_object_under_legal_hold_stays_until_it_is_released(locked: S3LockedStore) -> None:
    locked.put(KEY, b"evidence")
    locked.hold(KEY)
    assert locked.retention(KEY).held
    _refusal(codes.RETAINED, lambda: locked.remove(KEY))
    locked.release(KEY)
    assert not locked.retention(KEY).held
    locked.remove(KEY)
    assert not locked.exists(KEY)
    locked.remove(KEY)


def test_an_object_whose_retention_has_passed_can_be_removed(locked: S3LockedStore) -> None:
    locked.put_locked(KEY, b"evidence", _soon(2))
    until = locked.retention(KEY).until
    assert until is not None
    _refusal(codes.RETAINED, lambda: locked.remove(KEY))
    wait_until(lambda: datetime.now(UTC) > until, "the retention has passed")
    locked.remove(KEY)
    assert list(locked.keys("")) == []


def test_a_bucket_without_lock_takes_no_object_that_must_be_locked(place: Places) -> None:
    plain = S3LockedStore(place())
    _refusal(codes.NOT_LOCKED, lambda: plain.put_locked(KEY, b"evidence", _soon()))
    assert not plain.exists(KEY)


def test_what_is_not_there_has_no_retention(locked: S3LockedStore) -> None:
    for action in (lambda: locked.retention(KEY), lambda: locked.get(KEY), lambda: locked.hold(KEY)):
        _refusal(codes.MISSING, action)


def test_the_real_server_withstands_all_six_attacks(locked: S3LockedStore) -> None:
    report = probe_lock(locked)
    assert report.enforcement is Enforcement.ENFORCED
    assert [result.attack for result in report.results] == list(Attack)
    assert report.extended
    assert report.server
    assert [key for key in locked.keys("") if not key.startswith(PREFIX)] == []


def test_a_bucket_without_lock_is_reported_and_not_attacked(place: Places) -> None:
    plain = S3LockedStore(place())
    report = probe_lock(plain)
    assert (report.enforcement, report.results) == (Enforcement.UNLOCKED, ())
    assert list(plain.keys("")) == []


def test_the_doctor_says_what_the_server_enforces(place: Places) -> None:
    def verdicts(bucket: S3Place, **other: str) -> dict[str, str]:
        settings = Settings(
            s3_endpoint=bucket.endpoint,
            s3_access_key=bucket.access_key,
            s3_secret_key=other.get("secret", bucket.secret_key),
            s3_bucket=bucket.bucket,
            s3_audit_bucket=bucket.bucket,
        )
        return {check["name"]: f"{check['state']}: {check['detail']}" for check in bucket_checks(settings)}

    safe = verdicts(place(lock=True))
    assert safe["audit anchors"].startswith("ok")
    assert "all 6 attacks" in safe["audit anchors"]
    assert safe["object store"].startswith("ok")
    unsafe = verdicts(place())
    assert unsafe["audit anchors"].startswith("problem: UNSAFE")
    assert unsafe["object store"].startswith("ok")
    refused = verdicts(place(lock=True), secret="wrong")
    assert all(verdict.startswith("problem") for verdict in refused.values())
