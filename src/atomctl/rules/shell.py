"""Reads a shell script with tree-sitter-bash into facts. Nothing is run, and nothing is guessed by pattern.

Text that some other command will run as shell (`bash -c '...'`, `sh <<'EOF'`) is read too, up to four levels deep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from atomctl.rules.model import Path
from atomctl.rules.script import Command, Function, ScriptFacts, Word, base_name, shell_code
from atomctl.rules.shell_words import MAX_DEPTH, ScriptText, descend, read_word, walk

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_MAX_NESTING = 4
_MAX_SCRIPT = 128 * 1024
_WRAPPERS = frozenset({
    "sudo", "doas", "su", "pkexec", "env", "nohup", "time", "timeout", "nice", "ionice", "exec", "command", "builtin",
    "xargs", "setsid", "stdbuf", "unshare", "chroot", "nsenter",
})  # fmt: skip
_OPTION_WITH_VALUE = frozenset({"-u", "-g", "-n", "-I", "-P", "-k", "-s", "--signal", "--user"})
_TEMPLATE = "${{"


@cache
def _parser() -> Parser:
    import tree_sitter_bash  # 4 ms that a package without scripts does not pay
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


@dataclass(slots=True)
class _Reading:
    """What has been gathered from one script and from the code inside it."""

    commands: list[Command] = field(default_factory=list)
    pipelines: list[tuple[tuple[Command, ...], ...]] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    broken_at: int | None = None
    cut: bool = False


def read_script(text: str, label: str, path: Path = ()) -> ScriptFacts:
    """The facts of a script: of its first 128 Ki characters, and of its syntax to a depth of 64."""
    reading = _Reading(cut=len(text) > _MAX_SCRIPT)
    _read(text[:_MAX_SCRIPT], 0, reading, 0)
    return ScriptFacts(
        label=label,
        path=path,
        commands=tuple(reading.commands),
        pipelines=tuple(reading.pipelines),
        functions=tuple(reading.functions),
        broken_at=reading.broken_at,
        cut=reading.cut,
        parameters=tuple(templates(text)),
    )


def read_argv(words: list[tuple[str, Path]], label: str) -> ScriptFacts:
    """The facts of an argument vector, which no shell expands: every word is static. `words` are not empty."""
    command = _command([Word(text, index) for index, (text, _) in enumerate(words)], ())
    found = tuple((template, index) for index, (text, _) in enumerate(words) for template, _ in templates(text))
    paths = tuple(path for _, path in words)
    return ScriptFacts(label=label, path=paths[0], commands=(command,), parameters=found, word_paths=paths)


def templates(text: str) -> Iterator[tuple[str, int]]:
    """The `${{ ... }}` templates of a text and where they begin."""
    at = text.find(_TEMPLATE)
    while at >= 0:
        end = text.find("}}", at)
        yield text[at : end + 2 if end >= 0 else at + 3], at
        at = text.find(_TEMPLATE, at + 3)


def _read(text: str, base: int, into: _Reading, depth: int) -> None:
    source = ScriptText(text, base)
    made: dict[int, Command] = {}
    redirects: dict[int, list[Node]] = {}
    pipelines: list[Node] = []
    functions: list[Node] = []
    for node, level, _ in descend(_parser().parse(source.data).root_node):
        into.cut = into.cut or level == MAX_DEPTH
        kind = node.type
        if kind == "command":
            command = _read_command(node, redirects.get(node.id, []), source)
            if command is not None:
                made[node.id] = command
                into.commands.append(command)
                _read_inner(command, into, depth)
        elif kind == "redirected_statement":
            parts = node.named_children
            if parts:
                redirects[parts[0].id] = [part for part in parts[1:] if part.type.endswith("_redirect")]
        elif kind == "pipeline":
            pipelines.append(node)
        elif kind == "function_definition":
            functions.append(node)
        elif (kind == "ERROR" or node.is_missing) and into.broken_at is None and depth == 0:
            into.broken_at = source.offset(node)
    into.pipelines += (_pipeline(node, made) for node in pipelines)
    into.functions += (_function(node, made, source) for node in functions)


def _read_inner(command: Command, into: _Reading, depth: int) -> None:
    """Reads the code handed to `sh -c`, `eval` or `sh <<'EOF'`, if it is written out."""
    code = shell_code(command)
    if depth < _MAX_NESTING and code is not None and code.static and code.text.strip():
        quote = 0 if code is command.document else 1
        _read(code.text, code.offset + quote, into, depth + 1)


def _read_command(node: Node, redirects: list[Node], source: ScriptText) -> Command | None:
    """A command with the redirects of its statement; None if nothing but assignments stands there."""
    words: list[Word] = []
    for child in node.named_children:
        kind = child.type
        if kind.endswith("_redirect"):
            redirects.append(child)
        elif kind != "ERROR" and (words or kind != "variable_assignment"):
            words.append(read_word(child, source))
    if not words or not redirects:
        return _command(words, ()) if words else None
    targets = [target for each in redirects if (target := each.child_by_field_name("destination")) is not None]
    command = _command(words, tuple(read_word(target, source) for target in targets))
    document = next((word for each in redirects for word in _document(each, source)), None)
    return command._replace(document=document)


def _document(redirect: Node, source: ScriptText) -> Iterator[Word]:
    """The text of a here-document or here-string; quoted markers (`<<'EOF'`) keep it from being expanded."""
    if redirect.type == "herestring_redirect":
        yield from (read_word(child, source) for child in redirect.named_children)
    for child in redirect.named_children if redirect.type == "heredoc_redirect" else ():
        if child.type == "heredoc_body":
            yield read_word(child, source)


def _command(words: list[Word], redirects: tuple[Word, ...]) -> Command:
    """Takes wrappers, their options and assignments off the front."""
    at = 0
    wrappers: list[Word] = []
    while at < len(words) - 1 and words[at].static and base_name(words[at].text) in _WRAPPERS:
        wrappers.append(words[at])
        at += 1
        while at < len(words) - 1 and _belongs_to_wrapper(words, at):
            at += 1
    head = words[at]
    name = base_name(head.text) if head.static else ""
    return Command(name, tuple(words[at + 1 :]), words[0].offset, head, tuple(wrappers), redirects)


def _belongs_to_wrapper(words: list[Word], at: int) -> bool:
    text = words[at].text
    if text.startswith("-") or "=" in text or text in ("root", "--"):
        return True
    return text[:1].isdigit() or words[at - 1].text in _OPTION_WITH_VALUE


def _pipeline(node: Node, made: dict[int, Command]) -> tuple[tuple[Command, ...], ...]:
    stages = (tuple(made[inner.id] for inner in walk(child) if inner.id in made) for child in node.named_children)
    return tuple(stage for stage in stages if stage)


def _function(node: Node, made: dict[int, Command], source: ScriptText) -> Function:
    name = node.child_by_field_name("name")
    inside = list(walk(node))
    calls = tuple(made[inner.id].name for inner in inside if inner.id in made)
    pipes = any(inner.type == "pipeline" for inner in inside)
    return Function(source.of(name) if name is not None else "", calls, pipes, source.offset(node))
