"""What shell rules read: the commands of a script, its pipelines and its functions, each with its offset."""

from __future__ import annotations

from typing import NamedTuple

from atomctl.rules.model import Path

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"})
INTERPRETERS = SHELLS | {"python", "python3", "perl", "ruby", "node", "php", "pwsh", "lua"}
DOWNLOADERS = frozenset({"curl", "wget", "fetch", "aria2c", "http", "https", "lwp-request"})


class Word(NamedTuple):
    """One argument of a command.

    `text` is the value with its quotes removed if nothing in it is expanded (`static`), else what is written.
    """

    text: str
    offset: int
    static: bool = True
    quoted: bool = False
    """Whether every expansion in it stands inside double quotes."""
    variables: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    """Names of the commands that substitutions inside the word run."""


class Command(NamedTuple):
    """One simple command; wrappers such as `sudo`, `env` and `timeout 5` are taken off its front."""

    name: str
    """The base name of what runs; empty if it is not known before it runs."""
    words: tuple[Word, ...]
    """The arguments, without the name."""
    offset: int
    head: Word
    wrappers: tuple[Word, ...] = ()
    redirects: tuple[Word, ...] = ()

    def flags(self, letters: str, *long: str) -> bool:
        """Whether one of the single-letter flags or of the long options is among the arguments."""
        for word in self.words:
            if word.text in long or word.text.partition("=")[0] in long:
                return True
            if word.text.startswith("-") and not word.text.startswith("--") and set(letters) & set(word.text[1:]):
                return True
        return False

    @property
    def operands(self) -> tuple[Word, ...]:
        """The arguments that do not begin with a dash."""
        return tuple(word for word in self.words if not word.text.startswith("-"))


class Function(NamedTuple):
    """A function definition; `calls` are the names of the commands in its body."""

    name: str
    calls: tuple[str, ...]
    pipes: bool
    offset: int


class ScriptFacts(NamedTuple):
    """One script: a file, the code of a step, or what a container hands to `sh -c`.

    `path` and `base` say where its text stands in its source: offsets of words count from there.
    """

    label: str
    text: str
    path: Path = ()
    commands: tuple[Command, ...] = ()
    pipelines: tuple[tuple[tuple[Command, ...], ...], ...] = ()
    """Per pipeline its stages, per stage its commands."""
    functions: tuple[Function, ...] = ()
    broken_at: int | None = None
    """The offset of the first piece that is not shell."""
    parameters: tuple[tuple[str, int], ...] = ()
    """`${{ ... }}` templates that stand in the text, with their offset."""
