"""Comments that set a finding aside: `# atom:ignore RULE reason="..." until=2026-12-31`.

A comment behind something speaks for its own line; a comment on a line of its own speaks for the next line that is
neither blank nor a comment. Reason and date are required. Rules that are not bypassable ignore comments, and what a
comment sets aside is still listed.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from atomctl.rules.model import Finding, Suppressed
from atomctl.rules.scalar_text import LineMap

_MARK = "atom:ignore"
_MIN_REASON = 8


class Comment(NamedTuple):
    """One suppression comment; `problem` says why it suppresses nothing."""

    file: str
    line: int
    column: int
    target: int
    """The line it speaks for."""
    rules: tuple[str, ...]
    reason: str
    until: datetime.date | None
    problem: str | None


def comments(file: str, lines: LineMap) -> Iterator[Comment]:
    """The suppression comments of a file, valid or not."""
    if _MARK not in lines.text:
        return
    rows = lines.text.split("\n")
    for number, row in enumerate(rows, 1):
        hash_at = row.find("#")
        mark = row.find(_MARK, hash_at + 1)
        if hash_at >= 0 and mark >= 0 and not row[hash_at + 1 : mark].strip("# "):
            own_line = not row[:hash_at].strip()
            target = _next_line(rows, number) if own_line else number
            yield _parse(file, number, hash_at + 1, target, row[mark + len(_MARK) :])


def _next_line(rows: list[str], number: int) -> int:
    for later in range(number, len(rows)):
        text = rows[later].strip()
        if text and not text.startswith("#"):
            return later + 1
    return number


def _parse(file: str, line: int, column: int, target: int, text: str) -> Comment:
    rules, reason, until = [], "", None
    problem = None
    rest = text.strip()
    while rest:
        if rest.startswith('reason="'):
            reason, closed, rest = rest[len('reason="') :].partition('"')
            problem = problem or (None if closed else "the reason has no closing quote")
        else:
            word, _, rest = rest.partition(" ")
            if word.startswith("until="):
                until = _date(word.removeprefix("until="))
                problem = problem or (None if until else "until is not a date like 2026-12-31")
            elif word:
                rules += [name for name in word.split(",") if name]
        rest = rest.strip()
    problem = problem or _missing(rules, reason, until)
    return Comment(file, line, column, target, tuple(rules), reason, until, problem)


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return None


def _missing(rules: list[str], reason: str, until: datetime.date | None) -> str | None:
    if not rules:
        return "it names no rule"
    if len(reason.strip()) < _MIN_REASON:
        return f"it gives no reason of at least {_MIN_REASON} characters"
    return None if until else "it has no until date"


class Void(NamedTuple):
    """A comment without effect, and why."""

    comment: Comment
    why: str
    expired: bool = False


class Split(NamedTuple):
    """Findings that stand, findings set aside, and comments that set nothing aside with why."""

    standing: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...]
    void: tuple[Void, ...]


def split(findings: Iterable[Finding], found: Iterable[Comment], today: datetime.date | None) -> Split:
    """Sets aside what valid comments name.

    Without a day nothing is set aside: whether a comment has expired is then unknown, and unknown is not valid.
    """
    by_place: dict[tuple[str, int], list[Comment]] = {}
    every = list(found)
    for comment in every:
        if comment.problem is None and today is not None and comment.until is not None and comment.until >= today:
            by_place.setdefault((comment.file, comment.target), []).append(comment)
    standing: list[Finding] = []
    suppressed: list[Suppressed] = []
    used: set[tuple[str, int]] = set()
    refused: set[tuple[str, int]] = set()
    for finding in findings:
        speaking = _speaking_for(finding, by_place)
        if speaking is None:
            standing.append(finding)
        elif not finding.bypassable:
            refused.add((speaking.file, speaking.line))
            standing.append(finding)
        else:
            assert speaking.until is not None, "a comment without a date has a problem and speaks for nothing"
            used.add((speaking.file, speaking.line))
            suppressed.append(Suppressed(finding, speaking.reason, speaking.until, speaking.line))
    void = (_void(comment, today, used, refused) for comment in every)
    return Split(tuple(standing), tuple(suppressed), tuple(one for one in void if one is not None))


def _speaking_for(finding: Finding, by_place: dict[tuple[str, int], list[Comment]]) -> Comment | None:
    candidates = by_place.get((finding.file, finding.line), ())
    return next((comment for comment in candidates if finding.rule in comment.rules), None)


def _void(
    comment: Comment, today: datetime.date | None, used: set[tuple[str, int]], refused: set[tuple[str, int]]
) -> Void | None:
    key = (comment.file, comment.line)
    if comment.problem is not None:
        return Void(comment, comment.problem)
    if today is None:
        return Void(comment, "the day is not known, so it may have expired")
    if comment.until is not None and comment.until < today:
        return Void(comment, f"it expired on {comment.until.isoformat()}", expired=True)
    if key in refused:
        return Void(comment, "the rule it names cannot be suppressed")
    return None if key in used else Void(comment, "nothing it names is found there")
