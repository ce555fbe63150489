"""A yard with a worker that executes real steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.yard import Yard, working

from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore
from atomctl.runs.isolation import IsolationPolicy
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.probe import prepare_site
from atomctl.worker import Worker


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"))


@pytest.fixture
def scratch(server_folder: Path, tmp_path: Path) -> Path:
    """A folder for packages in use that a step's own user can reach, which pytest's private `tmp_path` is not."""
    return server_folder / f"scratch-{tmp_path.name}"


@pytest.fixture
def worker(database: DatabaseAddress, yard: Yard, scratch: Path) -> Iterator[Worker]:
    site = prepare_site(scratch, IsolationPolicy.PREFERRED)
    with working(database, yard, StepExecutor(site), scratch) as running:
        yield running
