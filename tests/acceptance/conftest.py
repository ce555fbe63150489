"""Acceptance tests act as users do: through the command line, on an instance of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.acceptance.command import Atomctl


def short_folder() -> Path:
    """A new folder for a home and a working folder; short, since a Unix socket's path is, and passable for others."""
    folder = Path(tempfile.mkdtemp(prefix="atom-"))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def instance_folder() -> Iterator[Path]:
    """A folder for one test's own instance."""
    folder = short_folder()
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def atomctl() -> Iterator[Atomctl]:
    """The command beside a running instance that all tests share; what they push and run has names of their own.

    Its owner is in context, a second person in the context `bob`, and the key `atom.pub` may sign every name.
    """
    folder = short_folder()
    command = Atomctl(folder / "home", folder / "work", ATOM_SECRETS="local")
    try:
        command("up", "--detach", "--port", "0")
        command("auth", "login", "--as", "bob", "--role", "approver")
        command("keys", "generate")
        command("keys", "register", "atom.pub", "--for", "*")
        yield command
    finally:
        command("down")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fresh(instance_folder: Path) -> Iterator[Atomctl]:
    """The command with a home of its own, in which nothing was started yet; nothing is left running."""
    command = Atomctl(instance_folder / "home", instance_folder / "work")
    yield command
    command("down")
