"""Secrets in the KV engine (version 2) of a Vault or OpenBao, and passwords that its database engine makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import hvac

from atomctl.errors import AtomError
from atomctl.secrets import codes
from atomctl.secrets.model import LONGEST, SecretValue, SecretVersion, check_values
from atomctl.secrets.paths import Location, check_mount, locate, stored
from atomctl.secrets.vault_answers import Answer, document, field, mapping, moment, number, text
from atomctl.secrets.vault_http import Patience
from atomctl.secrets.vault_login import Door
from atomctl.secrets.vault_session import VaultSession
from atomctl.secrets.vault_settings import VaultSettings, checked

_DEEPEST = 16
_MOST_PATHS = 10_000


class VaultSource:
    """A `SecretSource` over one login. Every request is bounded in time; nothing is sent before the first use.

    Args:
        settings: where the store is, and how to log in.
        patience: how long to wait for answers.

    Raises:
        AtomError: SEC020 the settings cannot be used, SEC002 the mount is no path.
    """

    name = "vault"

    def __init__(self, settings: VaultSettings, patience: Patience | None = None) -> None:
        checked(settings)
        self.mount = check_mount(settings.mount)
        self.session = VaultSession(Door(settings, patience or Patience()))

    def read(self, tenant_id: UUID, path: str, *, version: int | None = None) -> SecretValue:
        """See `SecretSource.read`. Fields that are not text are given as JSON.

        The version of what a database engine makes is the second, since 1970, in which it was last changed.
        """
        place = locate(self.mount, tenant_id, path)
        if place.of_database:
            return self._made_by_engine(place, version)

        def get(client: hvac.Client) -> object:
            return client.secrets.kv.v2.read_secret_version(
                path=place.inner, version=version, mount_point=self.mount, raise_on_deleted_version=True
            )

        answer = document(self.session.ask(f"reading {place}", get))
        about = mapping(answer, "data", "metadata")
        return SecretValue(
            path=str(place),
            version=number(about, "version"),
            values={name: _text(value) for name, value in mapping(answer, "data", "data").items()},
            expires_at=_expiry(answer, about, datetime.now(UTC)),
        )

    def write(self, tenant_id: UUID, path: str, values: Mapping[str, str], *, expected_version: int) -> int:
        """See `SecretSource.write`."""
        place = stored(self.mount, tenant_id, path)
        check_values(values)

        def put(client: hvac.Client) -> object:
            return client.secrets.kv.v2.create_or_update_secret(
                path=place.inner, secret=dict(values), cas=expected_version, mount_point=self.mount
            )

        return number(document(self.session.ask(f"writing {place}", put)), "data", "version")

    def versions(self, tenant_id: UUID, path: str) -> tuple[SecretVersion, ...]:
        """See `SecretSource.versions`."""
        place = stored(self.mount, tenant_id, path)

        def get(client: hvac.Client) -> object:
            return client.secrets.kv.v2.read_secret_metadata(path=place.inner, mount_point=self.mount)

        answer = self._if_there(f"reading about {place}", get)
        entries = {} if answer is None else mapping(answer, "data", "versions")
        found = (_version(key, entry, datetime.now(UTC)) for key, entry in entries.items())
        return tuple(sorted(found, key=lambda version: version.version))

    def paths(self, tenant_id: UUID) -> tuple[str, ...]:
        """See `SecretSource.paths`; at most 10,000 names, 16 folders deep."""
        prefix = str(tenant_id)
        found: list[str] = []
        for name in self._below(prefix, _DEEPEST):
            found.append(name.removeprefix(f"{prefix}/"))
            if len(found) >= _MOST_PATHS:
                break
        return tuple(sorted(found))

    def close(self) -> None:
        """See `SecretSource.close`: revokes the login, if it was made here."""
        self.session.close()

    def _made_by_engine(self, place: Location, version: int | None) -> SecretValue:
        """A static role's password. API: OpenBao's and Vault's database engine, `GET /MOUNT/static-creds/NAME`."""
        answer = document(self.session.ask(f"reading {place}", lambda client: client.adapter.get(f"/v1/{place}")))
        now, made = datetime.now(UTC), int(moment(mapping(answer, "data").get("last_vault_rotation")).timestamp())
        if version not in {None, made}:
            raise AtomError(codes.NOT_FOUND, f"{place} has no version {version}: an engine keeps none but the current")
        lives = timedelta(seconds=number(answer, "data", "ttl"))
        return SecretValue(
            path=str(place),
            version=made,
            values={name: text(answer, "data", name) for name in ("username", "password")},
            expires_at=now + min(LONGEST, lives),
        )

    def _below(self, folder: str, depth: int) -> Iterator[str]:
        def get(client: hvac.Client) -> object:
            return client.secrets.kv.v2.list_secrets(path=folder, mount_point=self.mount)

        answer = self._if_there(f"listing {self.mount}/{folder}", get)
        keys = [] if answer is None else field(answer, "data", "keys", as_=lambda value: isinstance(value, list))
        for key in keys:
            if not str(key).endswith("/"):
                yield f"{folder}/{key}"
            elif depth:
                yield from self._below(f"{folder}/{str(key)[:-1]}", depth - 1)

    def _if_there(self, what: str, get: Callable[[hvac.Client], object]) -> Answer | None:
        try:
            return document(self.session.ask(what, get))
        except AtomError as error:
            if error.code is codes.NOT_FOUND:
                return None
            raise


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _expiry(answer: Answer, about: Answer, now: datetime) -> datetime:
    """At most five minutes, the lease, and the moment from which the version is deleted (`delete_version_after`)."""
    bounds = [now + LONGEST]
    if lease := number(answer, "lease_duration"):
        bounds.append(now + timedelta(seconds=lease))
    if deleted := about.get("deletion_time"):
        bounds.append(moment(deleted))
    return min(bounds)


def _version(key: str, entry: Answer, now: datetime) -> SecretVersion:
    if not key.isdecimal():
        raise AtomError(codes.NONSENSE, "an answer with a version that is no number")
    deleted = entry.get("deletion_time")
    gone = bool(entry.get("destroyed")) or bool(deleted and moment(deleted) <= now)
    return SecretVersion(version=int(key), created=moment(entry.get("created_time")), gone=gone)
