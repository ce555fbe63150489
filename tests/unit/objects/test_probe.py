"""The probe believes what the server says about the object afterwards, never what it answered to an attack."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fakes.lenient_s3 import LenientS3

from atomctl.errors import AtomError
from atomctl.objects import codes
from atomctl.objects.probe import Attack, Enforcement, LockReport, probe_lock
from atomctl.objects.s3_client import S3Place
from atomctl.objects.s3_locked import S3LockedStore
from atomctl.objects.unlocked import UnlockedFolder


def _store(fake: LenientS3) -> S3LockedStore:
    store = S3LockedStore(S3Place(bucket=fake.bucket, access_key="a", secret_key="s"))
    store.__dict__["client"] = fake
    return store


def _probe(**behaviour: Any) -> LockReport:
    return probe_lock(_store(LenientS3("evidence", **behaviour)))


def test_a_lock_that_stands_is_enforced() -> None:
    report = _probe()
    assert report.enforcement is Enforcement.ENFORCED
    assert [result.attack for result in report.results] == list(Attack)
    assert {result.answer for result in report.results} == {"AccessDenied"}


@pytest.mark.parametrize("hole", list(Attack))
def test_one_attack_that_succeeds_is_named_and_breaks_the_lock(hole: Attack) -> None:
    report = _probe(holes=[hole])
    assert report.enforcement is Enforcement.BROKEN
    assert report.broken == (hole,)
    assert next(result.answer for result in report.results if result.attack is hole) == "accepted"


def test_a_lock_with_every_hole_shows_them_all() -> None:
    assert _probe(holes=list(Attack)).broken == tuple(Attack)


def test_a_success_that_changed_nothing_is_a_lock_that_held() -> None:
    report = _probe(silent=True)
    assert report.enforcement is Enforcement.ENFORCED
    assert {result.answer for result in report.results} == {"accepted"}


def test_a_retention_that_cannot_be_extended_is_not_a_whole_lock() -> None:
    report = _probe(extends=False)
    assert (report.enforcement, report.broken) == (Enforcement.BROKEN, ())


def test_versioning_that_could_be_suspended_is_switched_on_again() -> None:
    fake = LenientS3("evidence", [Attack.SUSPEND_VERSIONING])
    probe_lock(_store(fake))
    assert fake.versioning == "Enabled"


def test_probe_objects_whose_retention_has_passed_are_removed_by_the_next_probe() -> None:
    fake = LenientS3("evidence")
    store = _store(fake)
    probe_lock(store)
    for held in fake.objects.values():
        held["Retention"]["RetainUntilDate"] -= timedelta(days=1)
    before = set(fake.objects)
    probe_lock(store)
    assert before.isdisjoint(fake.objects)


def test_a_server_that_fails_under_an_attack_has_not_refused_it() -> None:
    fake = LenientS3("evidence")

    def fail(**_: Any) -> None:
        answer: Any = {"Error": {"Code": "InternalError"}, "ResponseMetadata": {"HTTPStatusCode": 500}}
        raise ClientError(answer, "Fake")

    fake.__dict__["delete_bucket"] = fail
    with pytest.raises(AtomError) as caught:
        probe_lock(_store(fake))
    assert caught.value.code is codes.UNAVAILABLE


def test_a_folder_says_that_it_locks_nothing(tmp_path: Path) -> None:
    report = probe_lock(UnlockedFolder(tmp_path))
    assert (report.enforcement, report.results) == (Enforcement.UNLOCKED, ())
    assert report.to_json()["enforcement"] == "unlocked"
