"""Acceptance tests act as users do: through the command line, on an instance of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def instance_folder() -> Iterator[Path]:
    """A folder for a home and a working folder; short, since a Unix socket's path is, and passable for other users."""
    folder = Path(tempfile.mkdtemp(prefix="atom-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
