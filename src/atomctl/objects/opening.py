"""Which stores the settings name. There is no fallback: a bucket that was named and cannot be reached is an error."""

from __future__ import annotations

from datetime import timedelta

from atomctl.errors import AtomError
from atomctl.objects.codes import INCOMPLETE
from atomctl.objects.folder import FolderStore
from atomctl.objects.locking import LockedStore
from atomctl.objects.model import ObjectStore
from atomctl.objects.s3 import S3Store
from atomctl.objects.s3_client import S3Place
from atomctl.objects.s3_locked import S3LockedStore
from atomctl.objects.unlocked import UnlockedFolder
from atomctl.settings import Settings


def object_store(settings: Settings) -> ObjectStore:
    """Where packages and logs lie: the bucket that was named, else a folder in the home. Nothing is sent yet.

    Raises:
        AtomError: OBJ015 a bucket was named without credentials.
    """
    if settings.s3_bucket is None:
        return FolderStore(settings.home / "objects")
    return S3Store(_place(settings, settings.s3_bucket))


def audit_store(settings: Settings) -> LockedStore | None:
    """Where the audit log is anchored; None where no bucket was named. Nothing is sent yet.

    Raises:
        AtomError: OBJ015 a bucket was named without credentials.
    """
    if settings.s3_audit_bucket is None:
        return None
    return S3LockedStore(_place(settings, settings.s3_audit_bucket))


def backup_store(settings: Settings) -> LockedStore:
    """Where backups lie: the bucket or folder that was named, else the audit bucket, else a folder in the home.

    Nothing is sent yet.

    Raises:
        AtomError: OBJ015 a bucket was named without credentials.
    """
    bucket = settings.s3_backup_bucket or (settings.s3_audit_bucket if settings.backup_folder is None else None)
    if bucket is not None:
        return S3LockedStore(_place(settings, bucket))
    return UnlockedFolder(settings.backup_folder or settings.home / "backups")


def backup_lock(settings: Settings) -> timedelta | None:
    """How long what is stored of a backup is locked; None in a folder, which locks nothing, and where that is off."""
    locks = isinstance(backup_store(settings), S3LockedStore)
    return settings.backup_lock if locks and settings.backup_lock else None


def _place(settings: Settings, bucket: str) -> S3Place:
    if settings.s3_access_key is None or settings.s3_secret_key is None:
        raise AtomError(INCOMPLETE, f"the bucket {bucket} is set, S3_ACCESS_KEY and S3_SECRET_KEY are not both")
    return S3Place(
        bucket=bucket,
        endpoint=settings.s3_endpoint,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
    )
