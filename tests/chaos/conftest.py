"""A yard and a crew of worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from tests.chaos.crew import Crew
from tests.fakes.yard import Yard

from atomctl.db.address import DatabaseAddress
from atomctl.db.session import Sessions
from atomctl.objects.folder import FolderStore


@pytest.fixture
def yard(sessions: Sessions, make_tenant: Callable[[str], UUID], tmp_path: Path) -> Yard:
    return Yard(sessions, make_tenant("acme"), FolderStore(tmp_path / "objects"))


@pytest.fixture
def crew(database: DatabaseAddress, server_folder: Path, tmp_path: Path) -> Iterator[Crew]:
    folder = server_folder / tmp_path.name  # a step's own user has to reach the scratch folders
    folder.mkdir(mode=0o711)
    hired = Crew(database, folder, tmp_path / "objects")
    yield hired
    hired.dismiss()
