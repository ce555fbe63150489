"""What a worker offers its steps: a folder to work in, the isolation that works here, the allowed addresses."""

from __future__ import annotations

import contextlib
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from atomctl.runs import cgroups
from atomctl.runs.addresses import AddressGuard
from atomctl.runs.isolation import Isolation


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Made once per worker by `steps.prepare_site`, shared by all its steps and threads.

    `scratch` holds one folder per attempt in progress; it is the worker's own, mode 0700 where a sandbox works.
    """

    scratch: Path
    isolation: Isolation
    guard: AddressGuard = field(default_factory=AddressGuard)
    hierarchies: tuple[cgroups.Hierarchy, ...] = ()

    def attempt_folder(self, attempt_id: UUID) -> Path:
        """Where the attempt keeps its report and outputs while it is in progress."""
        return self.scratch / str(attempt_id)


def sweep(scratch: Path, *, older_than_seconds: float) -> int:
    """Removes the folders of attempts that no worker finished and that nobody asked for since; returns how many."""
    limit = time.time() - older_than_seconds
    removed = 0
    for folder in scratch.iterdir():
        with contextlib.suppress(OSError):
            if folder.is_dir() and folder.stat().st_mtime < limit:
                shutil.rmtree(folder)
                removed += 1
    return removed
