"""Words of a shell script: what a syntax node stands for once the shell has removed its quotes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from atomctl.rules.script import Word, base_name

if TYPE_CHECKING:
    from tree_sitter import Node

_EXPANSIONS = ("simple_expansion", "expansion")
_SUBSTITUTIONS = ("command_substitution", "process_substitution", "arithmetic_expansion")
MAX_DEPTH = 64
_LEAVES = ("word", "number", "raw_string")


class ScriptText:
    """A script's text as the parser counts it (bytes) and as findings count it (characters from `base`)."""

    __slots__ = ("base", "data", "text")

    def __init__(self, text: str, base: int) -> None:
        self.text = text
        self.base = base
        self.data = text.encode("utf-8", "surrogatepass")

    def offset(self, node: Node) -> int:
        """The character offset of a node's first character."""
        start: int = node.start_byte
        if len(self.data) != len(self.text):
            start = len(self.data[:start].decode("utf-8", "replace"))
        return self.base + start

    def of(self, node: Node) -> str:
        """What is written there."""
        return self.data[node.start_byte : node.end_byte].decode("utf-8", "replace")


def walk(root: Node) -> Iterator[Node]:
    """The named nodes to a depth of 64, parents first, in the order of the text; without recursion."""
    return (node for node, _, _ in descend(root))


def descend(root: Node) -> Iterator[tuple[Node, int, bool]]:
    """As `walk`, with the depth of each node below `root` and whether it stands in double quotes.

    What is deeper than 64 levels is left out: every reader of a subtree then costs a bounded multiple of the text.
    """
    stack = [(root, 0, root.type == "string")]
    while stack:
        node, depth, quoted = stack.pop()
        yield node, depth, quoted
        if depth < MAX_DEPTH and node.named_child_count:
            inside = quoted or node.type == "string"
            stack.extend((child, depth + 1, inside) for child in reversed(node.named_children))


def read_word(node: Node, source: ScriptText) -> Word:
    """The word a node stands for, with what it expands and runs."""
    leaf = node
    if node.type == "command_name" and node.named_child_count == 1:
        leaf = node.named_children[0]
    if leaf.named_child_count == 0 and leaf.type in _LEAVES:
        return Word(_unquoted(leaf, source), source.offset(leaf))
    variables: list[str] = []
    runs: list[str] = []
    static = quoted = True
    for inner, depth, in_quotes in descend(node):
        kind = inner.type
        if kind in _EXPANSIONS:
            static = False
            quoted = quoted and in_quotes
        elif kind in _SUBSTITUTIONS or depth == MAX_DEPTH:
            static = False
        elif kind == "variable_name":
            variables.append(source.of(inner))
        elif kind == "command_name" and inner.id != node.id:
            runs.append(base_name(source.of(inner)))
    text = _unquoted(node, source) if static else source.of(node)
    return Word(text, source.offset(node), static, quoted and not static, tuple(variables), tuple(runs))


def _unquoted(node: Node, source: ScriptText) -> str:
    """The value of a word that nothing expands."""
    raw = source.of(node)
    if node.type == "raw_string":
        return raw[1:-1]
    if node.type == "string":
        return _unescaped(raw[1:-1], '"\\$`\n')
    if node.type in ("concatenation", "command_name") and node.named_child_count:
        return "".join(_unquoted(child, source) for child in node.named_children)
    return _unescaped(raw, None) if "\\" in raw else raw


def _unescaped(text: str, escapable: str | None) -> str:
    """Removes the backslashes that the shell removes: before any character, or in double quotes before a few."""
    if "\\" not in text:
        return text
    out, at = [], 0
    while at < len(text):
        if text[at] == "\\" and at + 1 < len(text) and (escapable is None or text[at + 1] in escapable):
            at += 1
        out.append(text[at])
        at += 1
    return "".join(out)
