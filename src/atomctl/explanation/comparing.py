"""What changed between two runs of one workflow. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from atomctl.canonical import Json, canonical_json
from atomctl.explanation.model import Aspect, Change, Comparison
from atomctl.explanation.visible import visible

MOST = 30
"""Changes that are listed."""
_LONGEST = 80
"""Characters of a value that are shown."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is recorded of one run: single values, and by name those an aspect has many of.

    An aspect that is in neither is not recorded. One that is in `named` with nothing in it is recorded as empty.
    """

    single: Mapping[Aspect, str] = field(default_factory=dict)
    named: Mapping[Aspect, Mapping[str, Json]] = field(default_factory=dict)

    def knows(self, aspect: Aspect) -> bool:
        """Whether anything is recorded of it."""
        return aspect in self.single or aspect in self.named


def compare(before: Facts, after: Facts) -> Comparison:
    """What `after` does not have in common with `before`, in the order of the aspects."""
    changes = [change for aspect in Aspect for change in _changes(aspect, before, after)]
    known = [aspect for aspect in Aspect if before.knows(aspect) and after.knows(aspect)]
    changed = {change.aspect for change in changes}
    return Comparison(
        changes=tuple(changes[:MOST]),
        same=tuple(aspect for aspect in known if aspect not in changed),
        unrecorded=tuple(aspect for aspect in Aspect if aspect not in known),
        more=max(0, len(changes) - MOST),
    )


def _changes(aspect: Aspect, before: Facts, after: Facts) -> Iterator[Change]:
    if aspect in before.single and aspect in after.single and before.single[aspect] != after.single[aspect]:
        yield Change(aspect, None, before.single[aspect], after.single[aspect])
    if aspect in before.named and aspect in after.named:
        old, new = before.named[aspect], after.named[aspect]
        for name in sorted(old.keys() | new.keys()):
            if name not in old or name not in new or not _equal(old[name], new[name]):
                yield Change(aspect, visible(name, _LONGEST), *_shown(old, new, name))


def _equal(old: Json, new: Json) -> bool:
    """As JSON: `1` is not `true`."""
    return canonical_json(old) == canonical_json(new)


def _shown(old: Mapping[str, Json], new: Mapping[str, Json], name: str) -> tuple[str | None, str | None]:
    """Both values as short as they can be while they still differ."""
    left, right = (_text(values[name]) if name in values else None for values in (old, new))
    if left is None or right is None:
        return (None if left is None else _window(left, 0)), (None if right is None else _window(right, 0))
    alike = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(left, right, strict=False)))
    start = 0 if max(len(left), len(right)) <= _LONGEST else max(0, alike - _LONGEST // 4)
    return _window(left, start), _window(right, start)


def _window(text: str, start: int) -> str:
    shown = text[start : start + _LONGEST]
    return ("..." if start else "") + shown + ("..." if start + _LONGEST < len(text) else "")


def _text(value: Json) -> str:
    """Text as it is, everything else as canonical JSON; what a terminal would not show is escaped."""
    text = value if isinstance(value, str) else canonical_json(value).decode()
    return text if text.isprintable() else json.dumps(value)
