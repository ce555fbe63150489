"""A tenant whose runs, uploads and audit log are looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.yard import Yard

from atomctl.audit.keys import FileKey, create_key
from atomctl.audit.sequencer import Sequencer
from atomctl.db.address import DatabaseAddress
from atomctl.db.roles import DatabaseRole
from atomctl.db.session import Sessions
from atomctl.insight.patrol import Patrol
from atomctl.objects.folder import FolderStore


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"))


@pytest.fixture
def audit_key(tmp_path: Path) -> FileKey:
    return create_key(tmp_path / "audit.key")


@pytest.fixture
def sequence(database: DatabaseAddress, audit_key: FileKey) -> Callable[[], int]:
    """Moves and signs what was recorded, as a worker does all the time."""
    return Sequencer(database.dsn(DatabaseRole.SEQUENCER), audit_key).drain_once


@pytest.fixture
def patrol(worker_sessions: Sessions, audit_key: FileKey) -> Patrol:
    return Patrol(worker_sessions, [audit_key.vkey])
