"""What rules other than Pod and script rules look at, as flat records; paths lead from the document's root."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, NamedTuple

from atomctl.rules.hosts import Url
from atomctl.rules.model import Path
from atomctl.wpk.model import Handler, Manifest


class CallFacts(NamedTuple):
    """One HTTP request of an `api` handler; `path` leads to its config."""

    label: str
    path: Path
    method: str
    parsed: Url | None
    """None where the text is not a URL with a host."""
    config: Mapping[str, Any]


class Origin(enum.Enum):
    """Where a named value is set."""

    ENVIRONMENT = "environment variable"
    SECRET = "Secret entry"  # noqa: S105  # a kind of place, not a secret


class SettingFacts(NamedTuple):
    """A name that is given a value, at `path`."""

    origin: Origin
    name: str
    value: str
    path: Path


class Step(NamedTuple):
    """A handler with where it stands in the package's manifest."""

    handler: Handler
    path: Path

    @property
    def label(self) -> str:
        """`handler restart`."""
        return f"handler {self.handler.name}"


class PackageFacts(NamedTuple):
    """The package as a whole: its manifest, steps and scripts."""

    manifest: Manifest
    steps: tuple[Step, ...]
    rollback: tuple[Step, ...]
    scripts: Mapping[str, str]
    """The shell scripts of the package by file name, to see which secrets they read."""


class Unread(enum.Enum):
    """Why the validator could not look at something."""

    NOT_YAML = "not YAML"
    KIND = "unknown kind"
    LANGUAGE = "another language"
    BINARY = "binary"
    TOO_MUCH = "too much"


class UnreadFacts(NamedTuple):
    """Something the validator could not look into."""

    label: str
    reason: Unread
    detail: str
    path: Path = ()
    offset: int | None = None


class VoidSuppression(NamedTuple):
    """A suppression comment that suppresses nothing."""

    why: str
    expired: bool
    offset: int
