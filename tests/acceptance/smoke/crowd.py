"""Everybody who takes part, at a shell of their own."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.acceptance.command import Atomctl
from tests.acceptance.smoke.deployment import Deployment, Part


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everybody at a shell of their own, in one working folder; none of them has a home of the deployment's."""

    deployment: Deployment
    folder: Path
    tokens: Mapping[Part, str] = field(repr=False)

    def __getitem__(self, part: Part) -> Atomctl:
        """The command, as that person; the test is skipped, and says so, where nobody can be that person."""
        if part not in self.tokens:
            pytest.skip(f"no token for the {part.name.lower()}: name one, or a shell beside the server (--beside)")
        return Atomctl(
            self.folder / "no-home",
            self.folder / "work",
            ATOM_API_URL=self.deployment.base_url,
            ATOM_TOKEN_FILE=str(self.folder / part.person),
        )

    @property
    def work(self) -> Path:
        return self.folder / "work"


@contextmanager
def gathered(deployment: Deployment) -> Iterator[Crowd]:
    """All of them, with access tokens where there is a way to get them; nothing of it is left on this machine."""
    folder = Path(tempfile.mkdtemp(prefix="atom-smoke-"))
    try:
        tokens = {part: token for part in Part if (token := deployment.token(part))}
        for part, token in tokens.items():
            (folder / part.person).touch(mode=0o600)
            (folder / part.person).write_text(token)
        yield Crowd(deployment, folder, tokens)
    finally:
        shutil.rmtree(folder)
