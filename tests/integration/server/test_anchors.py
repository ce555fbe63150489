"""Anchors over HTTP and in `atomctl audit verify`: the server shows, the client judges, and reads the bucket itself."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from tests.servers.api import api_server
from tests.servers.s3 import S3Server

from atomctl.access.model import Role
from atomctl.audit import codes
from atomctl.audit.anchors import Anchorer
from atomctl.audit.model import Entry
from atomctl.audit.record import record
from atomctl.cli.audit import command
from atomctl.cli.invocation import Invocation
from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Connection, Sessions
from atomctl.errors import AtomError
from atomctl.objects import codes as object_codes
from atomctl.objects.s3_client import S3Place
from atomctl.objects.s3_locked import S3LockedStore

_numbers = itertools.count()
WIPE = """
DELETE FROM atom.audit_entries; DELETE FROM atom.audit_tiles; DELETE FROM atom.audit_heads;
DELETE FROM atom.audit_checkpoints; DELETE FROM atom.audit_inbox;
"""


@pytest.fixture
def bucket(s3: S3Server) -> S3LockedStore:
    name = s3.create_bucket(f"shown-{next(_numbers)}", lock=True)
    keys = {"access_key": s3.access_key, "secret_key": s3.secret_key}
    return S3LockedStore(S3Place(bucket=name, endpoint=s3.endpoint, timeout=2.0, attempts=1, **keys))


@pytest.fixture
def note_down(sequence: Callable[[], int], sessions: Sessions, tenant: UUID) -> Callable[[], None]:
    """Records something, and lets it be sequenced and signed."""

    def do() -> None:
        with sessions.tenant(tenant) as conn:
            record(conn, tenant, Entry(action="test.happened", subject="run/01a20956-c33d-7bbd-bb02-5490b5be01a4"))
        sequence()

    return do


@pytest.fixture
def carry(database: DatabaseAddress, bucket: S3LockedStore, note_down: Callable[[], None]) -> Callable[[], None]:
    """The same, and lets it be anchored."""

    def do() -> None:
        note_down()
        Anchorer(database.dsn(DatabaseRole.SEQUENCER), bucket, timedelta(minutes=10)).anchor_now()

    return do


@pytest.fixture
def atomctl(
    api: Any, bucket: S3LockedStore, tenant: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Any]]:
    """`atomctl audit verify -o json` of an auditor, in front of a server that anchors; what it says, or its error."""
    services = dataclasses.replace(api.services, anchors=bucket)
    token = api.person(tenant, "ada", Role.AUDITOR).headers["Authorization"].removeprefix("Bearer ")
    file = tmp_path / "token"
    file.write_text(token)
    file.chmod(0o600)
    with api_server(services) as url:
        for name, value in {"ATOM_HOME": str(tmp_path), "ATOM_API_URL": url, "ATOM_TOKEN_FILE": str(file)}.items():
            monkeypatch.setenv(name, value)

        def run(*arguments: str, env: dict[str, str] | None = None) -> Any:
            line = ["verify", "-o", "json", *arguments]
            result = CliRunner().invoke(command, line, env=env, standalone_mode=False, obj=Invocation())
            if result.exception is not None:
                raise result.exception
            return json.loads(result.stdout)

        yield run


@pytest.fixture
def wiped(postgres: Any, database: DatabaseAddress) -> Callable[[], None]:
    """A superuser removes the whole log."""

    def wipe() -> None:
        connection: Connection
        with postgres.admin.connect(database.dbname) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(WIPE)

    return wipe


def _bucket_settings(bucket: S3LockedStore) -> dict[str, str]:
    place = bucket.place
    return {
        "S3_ENDPOINT": str(place.endpoint),
        "S3_ACCESS_KEY": place.access_key,
        "S3_SECRET_KEY": place.secret_key,
        "S3_AUDIT_BUCKET": place.bucket,
    }


@pytest.mark.parametrize("arguments", [(), ("--run", "01a20956-c33d-7bbd-bb02-5490b5be01a4")], ids=["log", "run"])
@pytest.mark.parametrize("reads_itself", [False, True], ids=["told", "reads the bucket"])
def test_a_log_is_compared_with_its_anchor(
    *,
    arguments: tuple[str, ...],
    reads_itself: bool,
    atomctl: Callable[..., Any],
    carry: Callable[[], None],
    sequence: Callable[[], int],
    bucket: S3LockedStore,
) -> None:
    carry()
    carry()
    sequence()
    verdict = atomctl(*arguments, env=_bucket_settings(bucket) if reads_itself else None)
    assert (verdict["outcome"], verdict["anchored"], verdict["warnings"]) == ("verified", True, [])


def test_before_the_first_anchor_the_verdict_says_that_nothing_was_compared(
    atomctl: Callable[..., Any], note_down: Callable[[], None]
) -> None:
    note_down()
    verdict = atomctl()
    assert (verdict["outcome"], verdict["warnings"]) == ("verified", [codes.UNANCHORED.id])


def test_a_rewritten_log_is_broken_although_everything_in_the_database_fits(
    atomctl: Callable[..., Any], carry: Callable[[], None], note_down: Callable[[], None], wiped: Callable[[], None]
) -> None:
    carry()
    wiped()
    note_down()
    for _ in range(3):
        with pytest.raises(AtomError) as caught:
            atomctl()
        assert caught.value.code is codes.FORKED
        note_down()


def test_an_anchor_the_server_keeps_to_itself_is_missed_by_who_reads_the_bucket(
    *,
    atomctl: Callable[..., Any],
    carry: Callable[[], None],
    bucket: S3LockedStore,
    api: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    carry()
    with api_server(api.services) as silent:
        monkeypatch.setenv("ATOM_API_URL", silent)
        assert atomctl()["warnings"] == [codes.UNANCHORED.id]
        with pytest.raises(AtomError) as caught:
            atomctl(env=_bucket_settings(bucket))
        assert caught.value.code is codes.FORKED


def test_a_bucket_that_cannot_be_read_is_an_error_and_not_a_missing_anchor(
    atomctl: Callable[..., Any], carry: Callable[[], None], bucket: S3LockedStore
) -> None:
    carry()
    with pytest.raises(AtomError) as caught:
        atomctl(env={**_bucket_settings(bucket), "S3_SECRET_KEY": "wrong"})
    assert caught.value.code is object_codes.REFUSED


def test_the_server_verifies_with_the_anchor_too(
    api: Any, bucket: S3LockedStore, carry: Callable[[], None], tenant: UUID
) -> None:
    carry()
    services = dataclasses.replace(api.services, anchors=bucket)
    headers = api.person(tenant, "ada", Role.AUDITOR).headers
    with api_server(services) as url:
        assert api.http.get(f"{url}/api/v1/audit/verify", headers=headers).json()["anchored"] is True
        shown = api.http.get(f"{url}/api/v1/audit/anchor", headers=headers).json()
        assert shown["configured"] is True
        assert shown["evidence"]["retention"]["mode"] == "compliance"
    assert api.person(tenant, "ada", Role.AUDITOR).get("audit/anchor") == {"configured": False, "evidence": None}


def test_a_kept_checkpoint_is_compared_as_well(
    *,
    api: Any,
    tenant: UUID,
    note_down: Callable[[], None],
    atomctl: Callable[..., Any],
    tmp_path: Path,
) -> None:
    note_down()
    file = tmp_path / "kept.txt"
    file.write_text(api.person(tenant, "ada", Role.AUDITOR).ask("GET", "audit/checkpoint").text)
    assert atomctl("--checkpoint", str(file))["anchored"] is True
