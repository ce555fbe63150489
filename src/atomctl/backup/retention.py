"""Which sets are kept: grandfather, father, son. Pure.

Of each period that holds a set, the newest set is kept: as many hours, days, weeks, months and years back as the rule
says, counted over periods that hold one. So a pause in taking backups never makes the old ones go. The newest set and
those under legal hold are always kept, and with an incremental set all that it builds on.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from atomctl.backup import codes
from atomctl.errors import AtomError

_ITEM = re.compile(r"(hourly|daily|weekly|monthly|yearly)=([0-9]{1,4})")


@dataclass(frozen=True, slots=True)
class Keep:
    """How many periods of each length keep their newest set."""

    hourly: int = 0
    daily: int = 7
    weekly: int = 5
    monthly: int = 12
    yearly: int = 0

    def __str__(self) -> str:
        counts = {name: getattr(self, name) for name in _PERIODS}
        return ",".join(f"{name}={count}" for name, count in counts.items() if count)


@dataclass(frozen=True, slots=True)
class Known:
    """A set as far as retention must know it; `taken_at` in UTC."""

    id: UUID
    taken_at: datetime.datetime
    parent: UUID | None = None


_PERIODS: Mapping[str, Callable[[datetime.datetime], str]] = {
    "hourly": lambda at: at.strftime("%Y-%m-%d %H"),
    "daily": lambda at: at.strftime("%Y-%m-%d"),
    "weekly": lambda at: at.strftime("%G-W%V"),
    "monthly": lambda at: at.strftime("%Y-%m"),
    "yearly": lambda at: at.strftime("%Y"),
}


def parse_keep(text: str) -> Keep:
    """The rule in `daily=7,weekly=5,monthly=12`; what is not named is 0.

    Raises:
        AtomError: BAK024 it has another form, or keeps nothing.
    """
    counts = dict.fromkeys(_PERIODS, 0)
    for item in text.split(","):
        found = _ITEM.fullmatch(item.strip())
        if found is None:
            raise AtomError(codes.NOT_KEPT, f"{item.strip()[:40]!r} is not a period and a count")
        counts[found[1]] = int(found[2])
    if not any(counts.values()):
        raise AtomError(codes.NOT_KEPT, "it keeps nothing")
    return Keep(**counts)


def kept(sets: Iterable[Known], keep: Keep, *, held: Collection[UUID] = ()) -> dict[UUID, str]:
    """The sets to keep, each with the first reason: `newest`, a period such as `daily 2026-02-28`, `held` or `needed`.

    Args:
        sets: all there are.
        keep: the rule.
        held: sets under legal hold.
    """
    newest_first = sorted(sets, key=lambda item: (item.taken_at, item.id), reverse=True)
    reasons: dict[UUID, str] = {}
    for item in newest_first[:1]:
        reasons[item.id] = "newest"
    for name, label in _PERIODS.items():
        seen: set[str] = set()
        for item in newest_first:
            period = label(item.taken_at)
            if period not in seen and len(seen) < getattr(keep, name):
                seen.add(period)
                reasons.setdefault(item.id, f"{name} {period}")
    for item in newest_first:
        if item.id in held:
            reasons.setdefault(item.id, "held")
    return _with_ancestors(reasons, {item.id: item.parent for item in newest_first})


def _with_ancestors(reasons: dict[UUID, str], parents: Mapping[UUID, UUID | None]) -> dict[UUID, str]:
    for start in list(reasons):
        parent = parents.get(start)
        while parent is not None and parent in parents and parent not in reasons:
            reasons[parent] = "needed"
            parent = parents[parent]
    return reasons
