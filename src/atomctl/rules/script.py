"""What shell rules read: the commands of a script, its pipelines and its functions, each with its offset."""

from __future__ import annotations

from typing import NamedTuple

from atomctl.rules.model import Hit, Path, Severity

SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh", "ksh", "busybox"})
INTERPRETERS = SHELLS | {"python", "python3", "perl", "ruby", "node", "php", "pwsh", "lua"}
DOWNLOADERS = frozenset({"curl", "wget", "fetch", "aria2c", "http", "https", "lwp-request"})
_CODE_OPTIONS = {
    "python": "c",
    "python3": "c",
    "perl": "eE",
    "ruby": "e",
    "node": "ep",
    "php": "r",
    "pwsh": "c",
    "lua": "e",
}


class Word(NamedTuple):
    """One argument of a command.

    `text` is the value with its quotes removed if nothing in it is expanded (`static`), else what is written.
    """

    text: str
    offset: int
    """Where it begins in the script; of an argument vector, which of its words it is."""
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
    document: Word | None = None
    """The text of a here-document or here-string on its standard input."""

    def flags(self, letters: str, *long: str) -> bool:
        """Whether one of the single-letter flags or of the long options is among the arguments."""
        for word in self.words:
            if word.text.partition("=")[0] in long:
                return True
            if word.text.startswith("-") and not word.text.startswith("--") and set(letters) & set(word.text[1:]):
                return True
        return False

    @property
    def operands(self) -> tuple[Word, ...]:
        """The arguments that do not begin with a dash."""
        return tuple(word for word in self.words if not word.text.startswith("-"))

    @property
    def reads_code_from_input(self) -> bool:
        """Whether it is an interpreter without a script of its own; `-` and `-s` say so outright."""
        if self.name not in INTERPRETERS:
            return False
        if any(word.text in ("-", "-s", "/dev/stdin") for word in self.words):
            return True
        return not self.operands and not self.flags("cem")


class Function(NamedTuple):
    """A function definition; `calls` are the names of the commands in its body."""

    name: str
    calls: tuple[str, ...]
    pipes: bool
    offset: int


class ScriptFacts(NamedTuple):
    """One script: a file, the code of a step, or what a container hands to `sh -c`; or an argument vector.

    `path` says where its text stands in its source: offsets of words count from there.
    """

    label: str
    path: Path = ()
    commands: tuple[Command, ...] = ()
    pipelines: tuple[tuple[tuple[Command, ...], ...], ...] = ()
    """Per pipeline its stages, per stage its commands."""
    functions: tuple[Function, ...] = ()
    broken_at: int | None = None
    """The offset of the first piece that is not shell."""
    cut: bool = False
    """Whether it is too long or too deeply nested to be read to its end."""
    parameters: tuple[tuple[str, int], ...] = ()
    """`${{ ... }}` templates that stand in the text, with their offset."""
    word_paths: tuple[Path, ...] = ()
    """Of an argument vector: the path of each word."""

    def hit(self, offset: int, message: str, severity: Severity | None = None) -> Hit:
        """A hit at a word of this script."""
        if self.word_paths:
            return Hit(self.word_paths[offset], message, severity=severity)
        return Hit(self.path, message, offset=offset, severity=severity)


def base_name(text: str) -> str:
    """The last part of a path."""
    return text.rpartition("/")[2]


def shell_code(command: Command) -> Word | None:
    """The text that a command will run as shell code: of `sh -c`, of `eval`, or on the standard input of a shell."""
    if command.name == "eval":
        return command.words[0] if command.words else None
    if command.name not in SHELLS:
        return None
    code = _after_option(command.words, "c")
    if code is None and command.reads_code_from_input:
        return command.document
    return code


def foreign_code(command: Command) -> Word | None:
    """The text that a command will run as code of another language or another machine's shell."""
    if command.name in _CODE_OPTIONS:
        return _after_option(command.words, _CODE_OPTIONS[command.name])
    if command.name in ("awk", "gawk", "mawk", "sed") and not command.flags("f"):
        return next(iter(command.operands), None)
    if command.name == "ssh" and len(command.operands) > 1:
        return command.operands[-1]
    return None


def _after_option(words: tuple[Word, ...], letters: str) -> Word | None:
    for index, word in enumerate(words[:-1]):
        if word.text.startswith("-") and not word.text.startswith("--") and set(letters) & set(word.text[1:]):
            return words[index + 1]
    return None
