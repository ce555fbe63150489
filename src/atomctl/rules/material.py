"""What a package was taken apart into: every subject with the source it stands in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from atomctl.rules.model import Path
from atomctl.rules.scalar_text import LineMap
from atomctl.rules.source import Source


class Spot(NamedTuple):
    """A place in a source, and how findings there name what they are about."""

    source: Source
    path: Path
    label: str

    def at(self, *steps: str | int) -> Spot:
        """A place below this one."""
        return Spot(self.source, (*self.path, *steps), self.label)


class Located(NamedTuple):
    """A subject, the source its paths lead into, and how findings name it.

    Of a `partial` object (a patch) what is missing says nothing: hits at fields that are not there are dropped.
    """

    source: Source
    subject: Any
    label: str
    partial: bool = False


@dataclass(slots=True)
class Material:
    """All of a package that rules look at, in the order of its files."""

    located: list[Located] = field(default_factory=list)
    texts: dict[str, LineMap] = field(default_factory=dict)
    """The text of every file that is text."""
    scripts: dict[str, str] = field(default_factory=dict)
    """The text of every script file."""
    values: list[Any] = field(default_factory=list)
    """Every document's plain value: what the facts digest covers."""
    not_understood: list[str] = field(default_factory=list)
    script_characters: int = 0
    """How much shell code there was."""

    def add(self, source: Source, subject: Any, label: str, *, partial: bool = False) -> None:
        """Notes a subject for the rules."""
        self.located.append(Located(source, subject, label, partial))
