"""The passage of a package's own Markdown that is about a failure. Pure.

What a document says is shown as it is and followed by nobody: it is data, whoever wrote it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from atomctl.explanation.model import Passage
from atomctl.explanation.visible import visible

_LARGEST = 256 * 1024
"""Bytes of a document that are looked at."""
_LINES, _COLUMNS = 12, 200
_HEADING = re.compile(r"^#{1,6}\s+(.*?)\s*#*$")
_ABOUT_FAILURES = re.compile(r"\b(fail\w*|troubleshoot\w*|runbook|error\w*|goes wrong|recover\w*)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Section:
    source: str
    title: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def passage(documents: Mapping[str, bytes], *, step: str | None, code: str | None) -> Passage | None:
    """The section that is most about this step and code, or else about failures at all; None if none is.

    Args:
        documents: Markdown by name; what is not UTF-8 is left out.
        step: the step that failed.
        code: its error code.
    """
    sections = [section for source in sorted(documents) for section in _sections(source, documents[source])]
    rated = [(_rating(section, step, code), -place) for place, section in enumerate(sections)]
    best, place = max(rated, default=(0, 0))
    return _shown(sections[-place]) if best > 0 else None


def _sections(source: str, data: bytes) -> Iterator[_Section]:
    """The document cut at its headings; a `#` in a code block is none."""
    title, lines, fenced = source, list[str](), False
    try:
        text = data[:_LARGEST].decode("utf-8", errors="strict" if len(data) <= _LARGEST else "ignore")
    except UnicodeDecodeError:
        return
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield _Section(source, title, tuple(lines))
        title, lines = heading[1], []
    yield _Section(source, title, tuple(lines))


def _rating(section: _Section, step: str | None, code: str | None) -> int:
    """How much the section is about it; 0: not at all. A section without text is about nothing."""
    if not section.text.strip():
        return 0
    title = section.title.lower()
    points = 8 * (_names(title, code)) + 4 * _names(title, step) + 4 * _names(section.text.lower(), code)
    about_failures = bool(_ABOUT_FAILURES.search(title))
    return points + (2 + _names(section.text.lower(), step) if about_failures else 0)


def is_about(passage: Passage, *, workflow: str, step: str | None, code: str | None) -> bool:
    """Whether a passage found by meaning names what failed: the workflow, the code, or in its title the step."""
    text = f"{passage.source}\n{passage.title}\n{passage.text}".lower()
    return _names(text, workflow) or _names(text, code) or _names(passage.title.lower(), step)


def quoted(source: str, title: str, text: str) -> Passage:
    """A passage as it is shown: bounded, on whole lines, without what would steer a terminal."""
    return _shown(_Section(source, title, tuple(text.splitlines())))


def _names(text: str, what: str | None) -> bool:
    return bool(what) and re.search(rf"(?<![\w-]){re.escape((what or '').lower())}(?![\w-])", text) is not None


def _shown(section: _Section) -> Passage:
    body = "\n".join(visible(line, _COLUMNS) for line in section.text.strip("\n").splitlines()).strip("\n")
    lines = body.splitlines()
    text = "\n".join([*lines[:_LINES], "..."] if len(lines) > _LINES else lines)
    return Passage(section.source, visible(section.title, _COLUMNS), text)
