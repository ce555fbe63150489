"""What an alert rule is, and how tests shorten its windows. Pure."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

AGE: Final = "$age"
"""Stands in an expression for the rule's `age` in seconds."""

SHORTEST: Final = timedelta(seconds=5)
"""A range never becomes shorter: `increase` needs two samples, and tests scrape once a second."""

_RANGE = re.compile(r"\[(\d+)([smhd])\]")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Severity(enum.StrEnum):
    """Who is told: `critical` wakes somebody, `warning` is for the day, `info` is for the record."""

    CRITICAL = "critical"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One rule.

    Attributes:
        name: as Prometheus and Alertmanager show it.
        expr: PromQL; every range in it and `$age` are windows, which tests may shorten.
        severity: who is told.
        summary: one sentence with the figures as Prometheus fills them in.
        means: what is wrong, for whoever is woken by it.
        clear: what to do, a step each; commands in backquotes.
        wait: for how long the expression must hold.
        age: how old something may be, where the expression compares ages.
    """

    name: str
    expr: str
    severity: Severity
    summary: str
    means: str
    clear: tuple[str, ...]
    wait: timedelta = timedelta(0)
    age: timedelta | None = None

    @property
    def runbook(self) -> str:
        """The name of its page in `docs/how-to/runbooks/`, without the suffix: `AtomRunFailed` is `run-failed`."""
        words = re.findall(r"[A-Z][a-z]*", self.name.removeprefix("Atom"))
        return "-".join(words).lower()

    def expression(self, scale: float = 1.0) -> str:
        """The PromQL with every window multiplied by `scale`, on one line.

        Raises:
            ValueError: `scale` is not above 0 and up to 1.
        """
        require_scale(scale)
        text = " ".join(self.expr.split())
        if self.age is not None:
            text = text.replace(AGE, f"{self.age.total_seconds() * scale:g}")
        return _RANGE.sub(lambda found: f"[{duration(_scaled_range(found, scale))}]", text)

    def waiting(self, scale: float = 1.0) -> str:
        """The `for` of the rule, multiplied by `scale`."""
        require_scale(scale)
        return duration(timedelta(seconds=round(self.wait.total_seconds() * scale)))


def require_scale(scale: float) -> None:
    """Returns if windows may be multiplied by it.

    Raises:
        ValueError: it is not above 0 and up to 1.
    """
    if not 0.0 < scale <= 1.0:
        raise ValueError(f"a scale is above 0 and up to 1, got {scale}")


def duration(span: timedelta) -> str:
    """A whole number of seconds as PromQL writes it: `90s`, `5m`, `2h`, `7d`."""
    seconds = int(span.total_seconds())
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds // _UNITS[unit]}{unit}"
    return f"{seconds}s"


def _scaled_range(found: re.Match[str], scale: float) -> timedelta:
    whole = timedelta(seconds=int(found[1]) * _UNITS[found[2]])
    return whole if scale == 1.0 else max(SHORTEST, timedelta(seconds=round(whole.total_seconds() * scale)))
