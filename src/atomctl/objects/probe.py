"""Trying what a bucket really enforces: six attacks on an object that was locked for it.

A server may accept a lock and not keep it. What counts is therefore never the answer to an attack but what the server
says about the object afterwards; a question that gets no answer ends the probe, and is not a refusal.
"""

from __future__ import annotations

import datetime
import enum
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.objects import codes
from atomctl.objects.locking import UNLOCKED, LockedStore, LockMode, Retention
from atomctl.objects.s3_client import answered, translated
from atomctl.objects.s3_locked import S3LockedStore, Version

PREFIX = "probe/"
"""Where probe objects lie; each probe removes those of earlier ones whose retention has passed."""

RETENTION = datetime.timedelta(minutes=20)
"""How long a probe object stays: longer than clocks may differ for a request to be accepted at all."""


class Attack(enum.StrEnum):
    """What somebody with the bucket's credentials would try."""

    DELETE_BUCKET = "delete bucket"
    SUSPEND_VERSIONING = "suspend versioning"
    SHORTEN = "shorten retention"
    DOWNGRADE = "downgrade to governance"
    CLEAR = "clear retention"
    DELETE_VERSION = "delete version"


class Enforcement(enum.StrEnum):
    """What a bucket is worth as a place for evidence."""

    ENFORCED = "enforced"
    """All attacks failed."""
    BROKEN = "broken"
    """It accepts locks and does not keep them."""
    UNLOCKED = "unlocked"
    """It was made without Object Lock: nothing was attacked, nothing would have stood."""


@dataclass(frozen=True, slots=True)
class AttackResult:
    """How an attack ended: `held` if nothing changed, `answer` in the server's word (`accepted` if it said yes)."""

    attack: Attack
    held: bool
    answer: str


@dataclass(frozen=True, slots=True)
class LockReport:
    """What a store enforces.

    Attributes:
        place: the bucket or folder.
        server: what the server calls itself; empty if it does not say.
        results: each attack, none for a store that cannot lock.
        extended: whether a retention could be made longer, which must be possible.
        checked_at: when, UTC.
    """

    place: str
    server: str
    results: tuple[AttackResult, ...]
    extended: bool
    checked_at: datetime.datetime

    @property
    def enforcement(self) -> Enforcement:
        """The answer in one word."""
        if not self.results:
            return Enforcement.UNLOCKED
        whole = self.extended and all(result.held for result in self.results)
        return Enforcement.ENFORCED if whole else Enforcement.BROKEN

    @property
    def broken(self) -> tuple[Attack, ...]:
        """The attacks that succeeded."""
        return tuple(result.attack for result in self.results if not result.held)

    def to_json(self) -> dict[str, Json]:
        """The report as a document, schema `atom.lock-report/v1`."""
        return {
            "schema": "atom.lock-report/v1",
            "name": self.place,
            "server": self.server,
            "enforcement": self.enforcement.value,
            "attacks": [
                {"attack": item.attack.value, "held": item.held, "answer": item.answer} for item in self.results
            ],
            "extended": self.extended,
            "checked_at": self.checked_at.isoformat(),
        }


def probe_lock(store: LockedStore, *, retention: datetime.timedelta = RETENTION) -> LockReport:
    """Attacks `store` and reports what stood. Objects under `probe/` are written and stay until their retention passes.

    Nothing else in the bucket is touched; versioning that could be suspended is switched on again. A refusal may also
    come from what the credentials may not do, so the probe says most with those of the bucket's owner.

    Raises:
        AtomError: OBJ006 to OBJ010, OBJ012, OBJ016 a question was not answered: nothing is known.
    """
    now = datetime.datetime.now(datetime.UTC)
    if not isinstance(store, S3LockedStore):
        return LockReport("a local folder", "", (), extended=False, checked_at=now)
    if not store.can_lock():
        return LockReport(str(store.place), _server(store), (), extended=False, checked_at=now)
    _sweep(store)
    target = _Target(store, now + retention)
    results = tuple(_try(target, attack) for attack in Attack)
    return LockReport(str(store.place), _server(store), results, extended=_extend(target), checked_at=now)


class _Target:
    """An object under the lock that is attacked, renewed when an attack has destroyed it."""

    def __init__(self, store: S3LockedStore, until: datetime.datetime) -> None:
        self.store = store
        self.until = until.replace(microsecond=0)
        self._version: Version | None = None

    def locked(self) -> tuple[Version, Retention]:
        """A version in compliance mode, and its retention."""
        if self._version is not None and (state := self.state(self._version)) and state.mode is LockMode.COMPLIANCE:
            return self._version, state
        key = f"{PREFIX}{self.until:%Y%m%dT%H%M%SZ}-{secrets.token_hex(6)}"
        self.store.put_locked(key, b"An object to be attacked.\n", self.until)
        self._version = self.store.first_version(key)
        return self._version, self.store.retention_of(self._version)

    def state(self, version: Version) -> Retention | None:
        """The retention of the version; None if it is gone."""
        try:
            return self.store.retention_of(version) if version in self.store.versions(version.key) else None
        except AtomError as error:
            if error.code in {codes.MISSING, codes.NO_BUCKET}:
                return None
            raise


def _try(target: _Target, attack: Attack) -> AttackResult:
    version, before = target.locked()
    answer = _answer(lambda: _carry_out(target.store, attack, version, before))
    after = target.state(version)
    held = after is not None and after.mode is LockMode.COMPLIANCE and _until(after) >= _until(before)
    if attack is Attack.SUSPEND_VERSIONING:
        held = held and _keeps_versions(target.store)
    return AttackResult(attack, held, answer)


def _carry_out(store: S3LockedStore, attack: Attack, version: Version, before: Retention) -> None:
    bucket = {"Bucket": store.place.bucket}
    place = {**bucket, "Key": version.key, "VersionId": version.id}
    match attack:
        case Attack.DELETE_BUCKET:
            store.client.delete_bucket(**bucket)
        case Attack.SUSPEND_VERSIONING:
            store.client.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Suspended"})
        case Attack.SHORTEN:
            now = datetime.datetime.now(datetime.UTC)
            sooner = now + (_until(before) - now) / 2
            _retain(store, place, {"Mode": "COMPLIANCE", "RetainUntilDate": sooner})
        case Attack.DOWNGRADE:
            _retain(store, place, {"Mode": "GOVERNANCE", "RetainUntilDate": _until(before)})
        case Attack.CLEAR:
            _retain(store, place, {})
        case Attack.DELETE_VERSION:
            store.client.delete_object(**place, BypassGovernanceRetention=True)


def _retain(store: S3LockedStore, place: dict[str, str], retention: dict[str, Any]) -> None:
    store.client.put_object_retention(**place, Retention=retention, BypassGovernanceRetention=True)


def _extend(target: _Target) -> bool:
    version, before = target.locked()
    later = _until(before) + datetime.timedelta(minutes=1)
    place = {"Bucket": target.store.place.bucket, "Key": version.key, "VersionId": version.id}
    _answer(lambda: _retain(target.store, place, {"Mode": "COMPLIANCE", "RetainUntilDate": later}))
    after = target.state(version)
    return after is not None and after.mode is LockMode.COMPLIANCE and _until(after) >= later


def _answer(ask: Callable[[], None]) -> str:
    """What the server said; a server that did not say anything about the request ends the probe."""
    from botocore.exceptions import ClientError

    with translated("the probe"):
        try:
            ask()
        except ClientError as error:
            if int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500:
                raise
            return answered(error) or "refused"
    return "accepted"


def _keeps_versions(store: S3LockedStore) -> bool:
    """Whether the bucket still keeps versions; it does afterwards."""
    bucket = {"Bucket": store.place.bucket}
    with translated(str(store.place)):
        if store.client.get_bucket_versioning(**bucket).get("Status") == "Enabled":
            return True
        store.client.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
    return False


def _sweep(store: S3LockedStore) -> None:
    """Removes what earlier probes left and nothing retains any more."""
    now = datetime.datetime.now(datetime.UTC)
    for key in list(store.keys(PREFIX)):
        state = store.retention(key)
        if state == UNLOCKED or (not state.held and _until(state) < now):
            try:
                store.remove(key)
            except AtomError as error:
                # The server's clock may be behind ours, and its key may not remove: the next probe tries again.
                if error.code not in {codes.RETAINED, codes.REFUSED}:
                    raise


def _server(store: S3LockedStore) -> str:
    with translated(str(store.place)):
        answer = store.client.get_bucket_versioning(Bucket=store.place.bucket)
    return str(answer["ResponseMetadata"].get("HTTPHeaders", {}).get("server", ""))


def _until(retention: Retention) -> datetime.datetime:
    return retention.until or datetime.datetime.min.replace(tzinfo=datetime.UTC)
