"""Object Lock: objects of a bucket that are retained in compliance mode, read by their first version."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from atomctl.errors import AtomError
from atomctl.objects import codes
from atomctl.objects.locking import UNLOCKED, LockMode, Retention
from atomctl.objects.model import check_key
from atomctl.objects.s3 import S3Store
from atomctl.objects.s3_client import answered, translated

_NO_LOCK = frozenset({"NoSuchObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "InvalidRequest"})
"""What servers answer about the retention of an object without one, or in a bucket that cannot lock."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object."""

    key: str
    id: str


class S3LockedStore(S3Store):
    """A `LockedStore` in one bucket that was made with Object Lock."""

    def put_locked(self, key: str, data: bytes, retain_until: datetime.datetime) -> None:
        """Stores and retains; see `LockedStore.put_locked`.

        Raises:
            AtomError: as `put`; OBJ013 the bucket cannot lock, or locked the object for less than asked.
        """
        self.require_lock()
        self._put_new(key, data, ObjectLockMode="COMPLIANCE", ObjectLockRetainUntilDate=retain_until)
        self._compare(key, data)  # in any case: behind a deletion marker there may be an older version, which counts
        if not _covers(self.retention(key), retain_until):
            self._extend(key, retain_until)

    def get(self, key: str) -> bytes:
        """The bytes of the first version under `key`; see `ObjectStore.get`.

        Raises:
            AtomError: OBJ001, OBJ003, OBJ006 to OBJ012.
        """
        first = self.first_version(key)
        return self._read(first.key, VersionId=first.id)

    def exists(self, key: str) -> bool:
        """Whether there is a version of `key`.

        Raises:
            AtomError: OBJ001, OBJ006 to OBJ010, OBJ012.
        """
        return any(True for _ in self._versions_of(check_key(key)))

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """The keys with at least one version; see `LockedStore.keys`. Deletion markers hide none.

        Raises:
            AtomError: OBJ006 to OBJ010, OBJ012.
        """
        last = after
        for version in self.versions(prefix, after=after):
            if version.key > last:
                last = version.key
                yield last

    def retention(self, key: str) -> Retention:
        """How the first version of `key` is retained; see `LockedStore.retention`.

        Raises:
            AtomError: OBJ003, OBJ006 to OBJ010, OBJ012.
        """
        return self.retention_of(self.first_version(key))

    def hold(self, key: str) -> None:
        """See `LockedStore.hold`.

        Raises:
            AtomError: OBJ003, OBJ013.
        """
        self._set_hold(key, "ON")

    def release(self, key: str) -> None:
        """See `LockedStore.release`.

        Raises:
            AtomError: OBJ003, OBJ013.
        """
        self._set_hold(key, "OFF")

    def remove(self, key: str) -> None:
        """Removes every version; see `LockedStore.remove`.

        Raises:
            AtomError: OBJ014 one of them is retained or held, OBJ007 the credentials may not remove.
        """
        for version in list(self._versions_of(check_key(key))):
            try:
                with translated(f"{key} in {self.place}"):
                    self.client.delete_object(Bucket=self.place.bucket, Key=key, VersionId=version.id)
            except AtomError as error:
                retention = self.retention_of(version)
                if error.code is codes.REFUSED and retention != UNLOCKED:
                    raise AtomError(codes.RETAINED, f"{key}: {retention.mode} until {retention.until}") from error
                raise

    def require_lock(self) -> None:
        """Returns if the bucket was made with Object Lock; asks the server once.

        Raises:
            AtomError: OBJ013 it was not; OBJ006 to OBJ010, OBJ012.
        """
        if not self.can_lock():
            raise AtomError(codes.NOT_LOCKED, f"{self.place} has no Object Lock")

    def can_lock(self) -> bool:
        """Whether the bucket was made with Object Lock.

        Raises:
            AtomError: OBJ006 to OBJ010, OBJ012.
        """
        if getattr(self, "_lockable", False):
            return True
        self._lockable = self._is_lockable()
        return self._lockable

    def _is_lockable(self) -> bool:
        from botocore.exceptions import ClientError

        with translated(str(self.place)):
            try:
                answer = self.client.get_object_lock_configuration(Bucket=self.place.bucket)
            except ClientError as error:
                if answered(error) not in _NO_LOCK:
                    raise
                return False
        return bool(answer.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled")

    def first_version(self, key: str) -> Version:
        """The version of `key` that was written first.

        Raises:
            AtomError: OBJ001, OBJ003, OBJ006 to OBJ010, OBJ012.
        """
        *_, first = (None, *self._versions_of(check_key(key)))  # servers list the newest first
        if first is None:
            raise AtomError(codes.MISSING, f"nothing is stored under {key} in {self.place}")
        return first

    def versions(self, prefix: str, *, after: str = "") -> Iterator[Version]:
        """Every version of every key that begins with `prefix` and comes behind `after`, the newest of a key first.

        Raises:
            AtomError: OBJ006 to OBJ010, OBJ012.
        """
        marker: dict[str, str] = {"KeyMarker": after} if after else {}
        while True:
            with translated(str(self.place)):
                answer = self.client.list_object_versions(Bucket=self.place.bucket, Prefix=prefix, **marker)
            if answer.get("Name") != self.place.bucket:
                raise AtomError(codes.NONSENSE, f"{self.place}: a listing of {answer.get('Name')!r} came back")
            yield from (Version(item["Key"], item["VersionId"]) for item in answer.get("Versions", ()))
            if not answer.get("IsTruncated"):
                return
            marker = {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer.get("NextVersionIdMarker", "")}

    def retention_of(self, version: Version) -> Retention:
        """How one version is retained.

        Raises:
            AtomError: OBJ003, OBJ006 to OBJ010, OBJ012.
        """
        kept = self._ask("get_object_retention", version).get("Retention", {})
        held = self._ask("get_object_legal_hold", version).get("LegalHold", {}).get("Status") == "ON"
        mode = LockMode(str(kept["Mode"]).lower()) if "Mode" in kept else LockMode.UNLOCKED
        until: datetime.datetime | None = kept.get("RetainUntilDate")
        return Retention(mode, until.astimezone(datetime.UTC) if until else None, held)

    def _ask(self, question: str, version: Version) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        with translated(f"{version.key} in {self.place}"):
            try:
                place = {"Bucket": self.place.bucket, "Key": version.key, "VersionId": version.id}
                answer: dict[str, Any] = getattr(self.client, question)(**place)
            except ClientError as error:
                if answered(error) not in _NO_LOCK:
                    raise
                return {}
        return answer

    def _versions_of(self, key: str) -> Iterator[Version]:
        for version in self.versions(key):
            if version.key != key:
                return
            yield version

    def _extend(self, key: str, until: datetime.datetime) -> None:
        version = self.first_version(key)
        with translated(f"{key} in {self.place}"):
            self.client.put_object_retention(
                Bucket=self.place.bucket,
                Key=key,
                VersionId=version.id,
                Retention={"Mode": "COMPLIANCE", "RetainUntilDate": until},
            )
        if not _covers(found := self.retention_of(version), until):
            raise AtomError(codes.NOT_LOCKED, f"{key} in {self.place} is {found.mode} until {found.until}, not {until}")

    def _set_hold(self, key: str, status: str) -> None:
        self.require_lock()
        version = self.first_version(key)
        with translated(f"{key} in {self.place}"):
            self.client.put_object_legal_hold(
                Bucket=self.place.bucket, Key=key, VersionId=version.id, LegalHold={"Status": status}
            )


def _covers(retention: Retention, until: datetime.datetime) -> bool:
    """Whether it is at least what was asked for; servers keep whole seconds."""
    return (
        retention.mode is LockMode.COMPLIANCE
        and retention.until is not None
        and retention.until >= until.replace(microsecond=0)
    )
