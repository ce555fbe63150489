"""What is kept of the suite's one story, for the tests to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
