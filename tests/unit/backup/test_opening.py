"""Which anchor a restore builds on: the newest in the audit bucket, if a key of the deployment signed it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from atomctl.audit import codes
from atomctl.audit.anchor import checkpoint_key
from atomctl.audit.checkpoint import Checkpoint, origin_of, sign_checkpoint
from atomctl.audit.keys import FileKey
from atomctl.audit.model import DEPLOYMENT
from atomctl.audit.names import LogName
from atomctl.backup.opening import open_backups
from atomctl.db.address import DatabaseAddress
from atomctl.errors import AtomError
from atomctl.objects import opening
from atomctl.objects.locking import LockedStore
from atomctl.objects.unlocked import UnlockedFolder
from atomctl.settings import load_settings

OWN, STRANGER = (FileKey(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)) for number in (1, 2))
ORIGIN = origin_of(OWN.public, DEPLOYMENT)
LastAnchor = Callable[[], bytes | None]


@pytest.fixture
def bucket(tmp_path: Path) -> UnlockedFolder:
    return UnlockedFolder(tmp_path / "bucket")


@pytest.fixture
def last_anchor(bucket: UnlockedFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LastAnchor:
    def audit_store(settings: object) -> LockedStore:
        del settings
        return bucket

    monkeypatch.setattr(opening, "audit_store", audit_store)
    settings = load_settings(env={"ATOM_HOME": str(tmp_path / "home")})
    address = DatabaseAddress("127.0.0.1", 9, "atom", tmp_path)
    return open_backups(settings, address, lambda: OWN, [OWN.vkey]).last_anchor


def _anchor(bucket: UnlockedFolder, size: int, signer: FileKey) -> bytes:
    note = sign_checkpoint(Checkpoint(ORIGIN, size, bytes(32)), signer)
    bucket.put(checkpoint_key(LogName.parse(ORIGIN), size), note)
    return note


def test_an_empty_bucket_has_no_anchor(last_anchor: LastAnchor) -> None:
    assert last_anchor() is None


def test_the_newest_signed_anchor_is_the_one(bucket: UnlockedFolder, last_anchor: LastAnchor) -> None:
    _anchor(bucket, 7, OWN)
    newest = _anchor(bucket, 12, OWN)
    assert last_anchor() == newest


def test_an_anchor_of_a_stranger_is_refused_rather_than_passed_over(
    bucket: UnlockedFolder, last_anchor: LastAnchor
) -> None:
    _anchor(bucket, 7, OWN)
    _anchor(bucket, 12, STRANGER)
    with pytest.raises(AtomError) as caught:
        last_anchor()
    assert caught.value.code is codes.BAD_SIGNATURE
