"""Which stores the settings name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from atomctl.cli.bucket_checks import bucket_checks
from atomctl.errors import AtomError
from atomctl.objects import codes
from atomctl.objects.folder import FolderStore
from atomctl.objects.locking import LockMode
from atomctl.objects.opening import audit_store, object_store
from atomctl.objects.s3 import S3Store
from atomctl.objects.s3_locked import S3LockedStore
from atomctl.objects.unlocked import UnlockedFolder
from atomctl.settings import INVALID, Settings, load_settings

KEYS = {"S3_ENDPOINT": "http://127.0.0.1:9", "S3_ACCESS_KEY": "me", "S3_SECRET_KEY": "hush-hush"}


def _settings(tmp_path: Path, **env: str) -> Settings:
    return load_settings(env={"ATOM_HOME": str(tmp_path), **env})


def test_without_buckets_objects_lie_in_the_home_and_nothing_is_anchored(tmp_path: Path) -> None:
    settings = _settings(tmp_path)
    assert isinstance(object_store(settings), FolderStore)
    assert audit_store(settings) is None


def test_each_bucket_is_its_own_store(tmp_path: Path) -> None:
    settings = _settings(tmp_path, **KEYS, S3_BUCKET="things", S3_AUDIT_BUCKET="evidence")
    objects, anchors = object_store(settings), audit_store(settings)
    assert isinstance(objects, S3Store)
    assert isinstance(anchors, S3LockedStore)
    assert (objects.place.bucket, anchors.place.bucket) == ("things", "evidence")


@pytest.mark.parametrize("missing", ["S3_ACCESS_KEY", "S3_SECRET_KEY"])
def test_a_bucket_without_credentials_is_an_error_and_never_a_folder(tmp_path: Path, missing: str) -> None:
    settings = _settings(tmp_path, **{**KEYS, missing: ""}, S3_BUCKET="things", S3_AUDIT_BUCKET="evidence")
    for open_store in (object_store, audit_store):
        with pytest.raises(AtomError) as caught:
            open_store(settings)
        assert caught.value.code is codes.INCOMPLETE


def test_the_secret_is_in_no_representation(tmp_path: Path) -> None:
    settings = _settings(tmp_path, **KEYS, S3_BUCKET="things")
    store = object_store(settings)
    assert isinstance(store, S3Store)
    assert "hush-hush" not in f"{settings!r} {store.place!r} {store.place}"


@pytest.mark.parametrize("text", ["7", "d", "7y", "-1d", "0d", "1.5h", "9999999d"])
def test_a_retention_that_is_no_duration_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(AtomError) as caught:
        _settings(tmp_path, ATOM_AUDIT_RETENTION=text)
    assert caught.value.code is INVALID


def test_a_retention_is_a_number_and_a_unit(tmp_path: Path) -> None:
    assert _settings(tmp_path, ATOM_AUDIT_RETENTION="30d").audit_retention == timedelta(days=30)
    assert _settings(tmp_path).audit_retention > timedelta(days=7 * 365)


def test_the_doctor_says_that_nothing_is_anchored(tmp_path: Path) -> None:
    (check,) = bucket_checks(_settings(tmp_path))
    assert (check["name"], check["state"]) == ("audit anchors", "missing")
    assert "S3_AUDIT_BUCKET" in check["hint"]


def test_a_folder_in_the_place_of_a_locked_store_is_honest(tmp_path: Path) -> None:
    folder = UnlockedFolder(tmp_path / "objects")
    settings = load_settings(env={})
    assert list(folder.keys("a/")) == []
    folder.put_locked("a/1", b"one", datetime.now(UTC) + settings.audit_retention)
    folder.put("a/2", b"two")
    folder.put("b", b"")
    assert folder.retention("a/1").mode is LockMode.UNLOCKED
    assert list(folder.keys("a/")) == ["a/1", "a/2"]
    assert list(folder.keys("a/", after="a/1")) == ["a/2"]
    folder.remove("a/1")
    folder.remove("a/1")
    assert list(folder.keys("")) == ["a/2", "b"]
    for refused in (folder.hold, folder.release):
        with pytest.raises(AtomError) as caught:
            refused("a/2")
        assert caught.value.code is codes.NOT_LOCKED
    with pytest.raises(AtomError) as gone:
        folder.retention("a/1")
    assert gone.value.code is codes.MISSING
