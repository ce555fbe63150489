"""Finds shell code: script files, commands of steps and containers, scripts inside ConfigMaps."""

from __future__ import annotations

from typing import Any

from atomctl.rules.material import Material, Spot
from atomctl.rules.script import SHELLS
from atomctl.rules.source import TextSource
from atomctl.rules.subjects import Unread, UnreadFacts

MAX_SCRIPT_CHARACTERS = 512 * 1024
"""What is read of all scripts of a package together."""


def script_file(source: TextSource, into: Material) -> None:
    """A file of `scripts/`, or one that ends in `.sh`; by its first line it may be of another language."""
    text = source.lines.text
    first = text.partition("\n")[0]
    label = f"script {source.file}"
    interpreter = first.removeprefix("#!").split() if first.startswith("#!") else []
    names = {word.rpartition("/")[2] for word in interpreter}
    if names & SHELLS or (not interpreter and "." not in source.file.rpartition("/")[2].removesuffix(".sh")):
        into.scripts[source.file] = text
        shell_text(Spot(source, (), label), text, into)
    else:
        reason = f"a script for {' '.join(interpreter)[:80] or 'an unknown program'}"
        into.add(source, UnreadFacts(label, Unread.LANGUAGE, reason), label)


def shell_text(spot: Spot, text: str, into: Material) -> None:
    """A text that a shell will run."""
    from atomctl.rules.shell import read_script

    into.script_characters += len(text)
    if into.script_characters > MAX_SCRIPT_CHARACTERS:
        _too_much(spot, into)
        return
    facts = read_script(text, spot.label, spot.path)
    into.add(spot.source, facts, spot.label)
    if facts.cut:
        _too_much(spot, into)


def _too_much(spot: Spot, into: Material) -> None:
    """Notes a script that was not read to its end: what nobody looked at must not pass."""
    into.not_understood.append(spot.source.file)
    reason = "is too long or too deeply nested to be read to its end"
    into.add(spot.source, UnreadFacts(spot.label, Unread.TOO_MUCH, reason, spot.path), spot.label)


def argument_list(spot: Spot, words: list[tuple[Any, tuple[str | int, ...]]], into: Material) -> None:
    """A command given as a list of words with their paths below `spot`.

    What it hands to a shell is a script; everything else is one command, which no shell expands.
    """
    texts = [(word, (*spot.path, *path)) for word, path in words if isinstance(word, str)]
    if not texts:
        return
    code = _code_index([word for word, _ in texts])
    if code is not None:
        shell_text(Spot(spot.source, texts[code][1], spot.label), texts[code][0], into)
        return
    from atomctl.rules.shell import read_argv

    into.add(spot.source, read_argv(texts, spot.label), spot.label)


def _code_index(words: list[str]) -> int | None:
    """Which word `sh -c` runs as code, if the command is a shell."""
    if words[0].rpartition("/")[2] not in SHELLS:
        return None
    for index, word in enumerate(words[1:-1], 1):
        if word.startswith("-") and not word.startswith("--") and "c" in word:
            return index + 1
    return None
