"""What a shell handler's configuration says to execute: an argument list, and a shell only where it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs.steps import codes


def argv(config: Mapping[str, Json], folder: Path) -> list[str]:
    """The program and its arguments, to be started in the package's folder.

    `command: [program, ...]` is taken as it is; `command: text` needs `shell: true` and becomes `sh -c text`;
    `script: path` with `args` starts an executable file of the package.

    Raises:
        AtomError: RUN651 it says something else, or the script is not an executable file of the package.
    """
    command, script = config.get("command"), config.get("script")
    if (command is None) == (script is None):
        raise _bad("needs exactly one of `command` and `script`")
    if isinstance(script, str):
        return [*_script(script, folder), *_words("args", config.get("args", []))]
    if script is not None:
        raise _bad("`script` is a path in the package")
    if isinstance(command, str):
        if config.get("shell") is not True:
            raise _bad("a command that is one text needs `shell: true`; better is a list, program first")
        return ["/bin/sh", "-c", _clean(command)]
    words = _words("command", command)
    if not words:
        raise _bad("`command` is empty")
    if config.get("shell"):
        raise _bad("`shell: true` goes with a command that is one text")
    return words


def _script(script: str, folder: Path) -> list[str]:
    path = PurePosixPath(_clean(script))
    if path.is_absolute() or ".." in path.parts:
        raise _bad(f"script {script!r} leads out of the package")
    file = folder / path
    if not file.is_file() or not file.stat().st_mode & 0o100:
        raise _bad(f"script {script!r} is not an executable file of the package")
    return [f"./{path}"]


def _words(field: str, value: Json) -> list[str]:
    if not isinstance(value, list):
        raise _bad(f"`{field}` is a list of texts")
    words = []
    for word in value:
        if not isinstance(word, str):
            raise _bad(f"`{field}` holds a {type(word).__name__}; write numbers and truth values in quotes")
        words.append(_clean(word))
    return words


def _clean(word: str) -> str:
    if "\0" in word or any("\ud800" <= character <= "\udfff" for character in word):
        raise _bad("an argument holds a zero byte or is not Unicode text")
    return word


def _bad(why: str) -> AtomError:
    return AtomError(codes.BAD_CONFIG, f"shell handler: {why}")
