"""A tenant with a past, the sequencer, and people who may export."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.past_runs import Archive, Past
from tests.fakes.people import log_in
from tests.fakes.yard import Yard, manifest

from atomctl.access.model import Actor, Role
from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.sequencer import Sequencer
from atomctl.dataset.model import Format, Order
from atomctl.dataset.service import Delivery, Means, export_dataset
from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore

SPEC = "handlers:\n  - {name: work, type: shell, config: {command: [echo, hello]}}"
BOTH = (Format.JSONL, Format.PARQUET)
PSEUDONYM_KEY = bytes(range(32))


@pytest.fixture
def audit_key(tmp_path: Path) -> FileKey:
    return create_key(tmp_path / "keys" / "audit.key")


@pytest.fixture
def sequence(database: DatabaseAddress, audit_key: FileKey) -> Callable[[], None]:
    """Moves everything that was recorded into the logs."""

    def drain() -> None:
        while Sequencer(database.dsn(DatabaseRole.SEQUENCER), audit_key).drain_once():
            pass

    return drain


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"))


@pytest.fixture
def archive(yard: Yard) -> Archive:
    return Archive(yard, yard.publish(manifest(SPEC)))


@pytest.fixture
def add(archive: Archive, sequence: Callable[[], None]) -> Callable[..., list[UUID]]:
    """Puts runs into the past, and their ends into the log."""

    def put(*runs: Past) -> list[UUID]:
        ids = archive.add(*runs)
        sequence()
        return ids

    return put


@pytest.fixture
def auditor(yard: Yard) -> Actor:
    return log_in(yard.sessions, yard.tenant_id, "ute", Role.AUDITOR)


@pytest.fixture
def means(yard: Yard, audit_key: FileKey) -> Means:
    return Means(yard.sessions, yard.objects, audit_key, PSEUDONYM_KEY)


@pytest.fixture
def export(means: Means, auditor: Actor) -> Callable[..., Delivery]:
    """Exports July on as the auditor, in both formats unless told otherwise."""

    def run(folder: Path, *, refresh: bool = False, embedder: Any = None, **given: Any) -> Delivery:
        order = Order(**{"tenant_id": auditor.tenant_id, "since": date(2026, 7, 1), "formats": BOTH, **given})
        return export_dataset(means, auditor, order, folder, refresh=refresh, embedder=embedder)

    return run
