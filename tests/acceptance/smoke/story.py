"""Who takes part in the suite's one story, and what is kept of it for the tests to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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


@dataclass(frozen=True, slots=True)
class Signed:
    """A package that is signed by a key that this deployment trusts for it, and not yet published."""

    name: str
    file: str
    key_id: str
    unsigned: str
    """What the command said when it was pushed without its signature."""


@dataclass(frozen=True, slots=True)
class Published:
    """A package that was published, and what the server said about it."""

    name: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """A run from its plan to its end.

    Attributes:
        plan: what was shown before anybody asked for it.
        waiting: the run when it was requested.
        own_vote: what the requester was told who tried to approve it.
        approval: as the second person's vote left it.
        ended: the run in its last state.
    """

    plan: Mapping[str, Any]
    waiting: Mapping[str, Any]
    own_vote: str
    approval: Mapping[str, Any]
    ended: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.ended["id"])
