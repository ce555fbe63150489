"""Reads a shell script with tree-sitter-bash into facts. Nothing is run, and nothing is guessed by pattern.

Text that some other command will run as shell (`bash -c '...'`) is read too, up to four levels deep.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from atomctl.rules.model import Path
from atomctl.rules.script import SHELLS, Command, Function, ScriptFacts, Word

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_MAX_NESTING = 4
_MAX_SCRIPT = 256 * 1024
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


def read_script(text: str, label: str, path: Path = ()) -> ScriptFacts:
    """The facts of a script; what is beyond 256 KiB is not read and counts as broken there."""
    reading = _Reading()
    _read(text[:_MAX_SCRIPT], 0, reading, 0)
    if len(text) > _MAX_SCRIPT and reading.broken_at is None:
        reading.broken_at = _MAX_SCRIPT
    return ScriptFacts(
        label=label,
        text=text,
        path=path,
        commands=tuple(reading.commands),
        pipelines=tuple(reading.pipelines),
        functions=tuple(reading.functions),
        broken_at=reading.broken_at,
        parameters=tuple(templates(text)),
    )


def read_argv(argv: list[str], label: str, path: Path) -> ScriptFacts:
    """The facts of an argument vector, which no shell expands: every word is static."""
    reading = _Reading()
    words = [Word(arg, 0) for arg in argv]
    if words:
        reading.commands.append(_command(words, ()))
    found = tuple(hit for arg in argv for hit in templates(arg))
    return ScriptFacts(label=label, text=" ".join(argv), path=path, commands=tuple(reading.commands), parameters=found)


def templates(text: str) -> Iterator[tuple[str, int]]:
    """The `${{ ... }}` templates of a text and where they begin."""
    at = text.find(_TEMPLATE)
    while at >= 0:
        end = text.find("}}", at)
        yield text[at : end + 2 if end >= 0 else at + 3], at
        at = text.find(_TEMPLATE, at + 3)


def _read(text: str, base: int, into: _Reading, depth: int) -> None:
    source = _Source(text, base)
    made: dict[int, Command] = {}
    pipelines: list[Node] = []
    functions: list[Node] = []
    for node in _walk(_parser().parse(source.data).root_node):
        if node.type == "command":
            command = _read_command(node, source)
            if command is not None:
                made[node.id] = command
                into.commands.append(command)
                _read_inner(command, into, depth)
        elif node.type == "pipeline":
            pipelines.append(node)
        elif node.type == "function_definition":
            functions.append(node)
        elif (node.type == "ERROR" or node.is_missing) and into.broken_at is None and depth == 0:
            into.broken_at = source.offset(node)
    into.pipelines += (_pipeline(node, made) for node in pipelines)
    into.functions += (_function(node, made, source) for node in functions)


class _Source:
    """A script's text as the parser counts it (bytes) and as findings count it (characters)."""

    __slots__ = ("base", "data", "text")

    def __init__(self, text: str, base: int) -> None:
        self.text = text
        self.base = base
        self.data = text.encode("utf-8", "surrogatepass")

    def offset(self, node: Any) -> int:
        """The character offset of a node's first character."""
        start: int = node.start_byte
        if len(self.data) != len(self.text):
            start = len(self.data[:start].decode("utf-8", "replace"))
        return self.base + start

    def of(self, node: Any) -> str:
        """What is written there."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def _walk(root: Node) -> Iterator[Node]:
    """Every named node, parents first, in the order of the text; without recursion, for hostile nesting."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(reversed(node.named_children))


def _read_command(node: Node, source: _Source) -> Command | None:
    words: list[Word] = []
    redirects: list[Word] = []
    for child in node.named_children:
        if child.type == "variable_assignment" and not words:
            continue
        if child.type.endswith("_redirect"):
            redirects += _redirect(child, source)
        elif child.type != "ERROR":
            words.append(_word(child, source))
    if node.parent is not None and node.parent.type == "redirected_statement":
        for sibling in node.parent.named_children:
            if sibling.type.endswith("_redirect"):
                redirects += _redirect(sibling, source)
    return _command(words, tuple(redirects)) if words else None


def _redirect(node: Node, source: _Source) -> Iterator[Word]:
    target = node.child_by_field_name("destination")
    if target is not None:
        yield _word(target, source)


def _command(words: list[Word], redirects: tuple[Word, ...]) -> Command:
    """Takes wrappers, their options and assignments off the front."""
    at, wrappers = 0, []
    while at < len(words) - 1 and words[at].static and _base_name(words[at].text) in _WRAPPERS:
        wrappers.append(words[at])
        at += 1
        while at < len(words) - 1 and _belongs_to_wrapper(words, at):
            at += 1
    head = words[at]
    name = _base_name(head.text) if head.static else ""
    return Command(name, tuple(words[at + 1 :]), words[0].offset, head, tuple(wrappers), redirects)


def _belongs_to_wrapper(words: list[Word], at: int) -> bool:
    text = words[at].text
    if text.startswith("-") or "=" in text or text in ("root", "--"):
        return True
    return text[:1].isdigit() or words[at - 1].text in _OPTION_WITH_VALUE


def _base_name(text: str) -> str:
    return text.rpartition("/")[2]


def _word(node: Node, source: _Source) -> Word:
    raw = source.of(node)
    if node.named_child_count == 0 and node.type in ("word", "number", "raw_string"):
        return Word(_unquoted(node, source), source.offset(node))
    variables: list[str] = []
    runs: list[str] = []
    static = True
    quoted = True
    for inner in _walk(node):
        kind = inner.type
        if kind in ("simple_expansion", "expansion"):
            static = False
            quoted = quoted and _inside_quotes(inner, node)
        elif kind in ("command_substitution", "process_substitution", "arithmetic_expansion"):
            static = False
        elif kind == "variable_name":
            variables.append(source.of(inner))
        elif kind == "command_name":
            runs.append(_base_name(source.of(inner)))
    if node.type == "command_name":
        runs = runs[1:] if not static else []
    text = _unquoted(node, source) if static else raw
    return Word(text, source.offset(node), static, quoted and not static, tuple(variables), tuple(runs))


def _inside_quotes(inner: Node, outer: Node) -> bool:
    node: Node | None = inner
    while node is not None:
        if node.type == "string":
            return True
        if node.id == outer.id:
            return False
        node = node.parent
    return False


def _unquoted(node: Node, source: _Source) -> str:
    """The value of a word that nothing expands."""
    raw = source.of(node)
    if node.type == "raw_string":
        return raw[1:-1]
    if node.type == "string":
        return _unescaped(raw[1:-1], '"\\$`\n')
    if node.type in ("concatenation", "command_name"):
        return "".join(_unquoted(child, source) for child in node.named_children)
    return _unescaped(raw, None) if "\\" in raw else raw


def _unescaped(text: str, escapable: str | None) -> str:
    """Removes the backslashes that the shell removes: before any character, or in double quotes before a few."""
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and (escapable is None or text[at + 1] in escapable):
            at += 1
        out.append(text[at])
        at += 1
    return "".join(out)


def _read_inner(command: Command, into: _Reading, depth: int) -> None:
    """Reads the code handed to `sh -c` or `eval`, if it is written out."""
    if depth >= _MAX_NESTING:
        return
    code = code_word(command)
    if code is not None and code.static and code.text.strip():
        _read(code.text, code.offset + 1, into, depth + 1)


def code_word(command: Command) -> Word | None:
    """The argument that a command will run as shell code."""
    if command.name == "eval":
        return command.words[0] if command.words else None
    if command.name in SHELLS:
        return _after_c(command.words)
    return None


def _after_c(words: tuple[Word, ...]) -> Word | None:
    for index, word in enumerate(words[:-1]):
        if word.text.startswith("-") and not word.text.startswith("--") and "c" in word.text:
            return words[index + 1]
    return None


def _pipeline(node: Node, made: dict[int, Command]) -> tuple[tuple[Command, ...], ...]:
    stages = (tuple(made[inner.id] for inner in _walk(child) if inner.id in made) for child in node.named_children)
    return tuple(stage for stage in stages if stage)


def _function(node: Node, made: dict[int, Command], source: _Source) -> Function:
    name = node.child_by_field_name("name")
    inside = list(_walk(node))
    calls = tuple(made[inner.id].name for inner in inside if inner.id in made)
    pipes = any(inner.type == "pipeline" for inner in inside)
    return Function(source.of(name) if name is not None else "", calls, pipes, source.offset(node))
