"""Cutting a Markdown page into chunks: by headings, long sections by their blocks.

Reads what CommonMark calls ATX headings, fenced code and HTML comments; everything else is text. Nothing in a page is
ever carried out or followed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from atomctl.knowledge.model import Chunk

LONGEST = 900
"""Characters of a chunk: about what the smallest models take in, and what a person reads at a glance."""

_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)$")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")
_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\([^)\s]{0,1000}(?:\s+\"[^\"]{0,300}\")?\)")


@dataclass(frozen=True, slots=True)
class _Section:
    trail: tuple[tuple[int, str], ...]
    """Level and title of its heading and of those above it."""
    anchor: str
    lines: tuple[str, ...]


def chunks_of(text: str, name: str) -> tuple[Chunk, ...]:
    """The chunks of a page, in its order; none if it has no text.

    Args:
        text: the page, cleaned.
        name: its title where it has no heading of the first level.
    """
    found = tuple(_sections(_without_comments(text)))
    title = next((each for section in found for level, each in section.trail if level == 1), name)
    return tuple(
        Chunk((title, *(each for _, each in section.trail if each != title)), section.anchor, piece)
        for section in found
        for piece in _pieces(section.lines)
    )


def plain(text: str) -> str:
    """The words of a Markdown text without its marks: what is searched and what a model is given."""
    text = _LINK.sub(r"\1", text)
    return re.sub(r"[ \t]{2,}", " ", re.sub(r"[*`|>#]+|-{3,}", " ", text)).strip()


def _without_comments(text: str) -> str:
    return _COMMENT.sub("", text)


def _sections(text: str) -> Iterator[_Section]:
    """Each heading with its own text; first what stands before any."""
    trail: list[tuple[int, str]] = []
    anchor, lines, fence = "", list[str](), ""
    used: dict[str, int] = {}
    for line in text.split("\n"):
        fence, inside = _fenced(line, fence)
        heading = None if inside else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield _Section(tuple(trail), anchor, tuple(lines))
        level, title = len(heading[1]), plain(heading[2] or "")
        trail = [*((above, each) for above, each in trail if above < level), (level, title)]
        anchor, lines = _anchor(title, used), []
    yield _Section(tuple(trail), anchor, tuple(lines))


def _fenced(line: str, fence: str) -> tuple[str, bool]:
    """The fence that is open after the line, and whether the line belongs to code."""
    match = _FENCE.match(line)
    if not fence:
        return (match[1], True) if match and "`" not in match[2] else ("", False)
    closes = match is not None and match[1].startswith(fence) and not match[2].strip()
    return ("" if closes else fence), True


def _anchor(title: str, used: dict[str, int]) -> str:
    """The anchor that forges make of a heading; a repeated one gets a number."""
    base = _NOT_IN_ANCHORS.sub("", title.lower()).strip().replace(" ", "-")
    number = used.get(base, 0)
    used[base] = number + 1
    return f"{base}-{number}" if number else base


def _pieces(lines: Iterable[str]) -> Iterator[str]:
    """The section's text in pieces of at most `LONGEST` characters, cut between blocks where that is possible."""
    piece = ""
    for block in _blocks(lines):
        for part in _parts(block):
            if piece and len(piece) + len(part) + 2 > LONGEST:
                yield piece
                piece = ""
            piece = f"{piece}\n\n{part}" if piece else part
    if piece:
        yield piece


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Paragraphs, lists, tables and fenced code: what blank lines separate, code being one whatever is in it."""
    block, fence = list[str](), ""
    for line in lines:
        fence, inside = _fenced(line, fence)
        if line.strip() or inside:
            block.append(line)
        elif block:
            yield block
            block = []
    if block:
        yield block


def _parts(block: list[str]) -> Iterator[str]:
    """A block that fits, or runs of its lines that do; a table's head stands above each of them."""
    head = block[:2] if len(block) > 2 and block[0].lstrip().startswith("|") and set(block[1]) <= set("|:- ") else []
    part = list(head)
    for line in block[len(head) :]:
        for piece in _cut(line):
            if len(part) > len(head) and sum(map(len, part)) + len(part) + len(piece) > LONGEST:
                yield "\n".join(part)
                part = list(head)
            part.append(piece)
    if len(part) > len(head):
        yield "\n".join(part)


def _cut(line: str) -> Iterator[str]:
    """A line in pieces that fit, cut at spaces where there are any."""
    while len(line) > LONGEST:
        at = line.rfind(" ", LONGEST // 2, LONGEST)
        at = at if at > 0 else LONGEST
        yield line[:at]
        line = line[at:].lstrip()
    if line.strip():
        yield line
