"""What an overview is, and how counted rows become its series. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from atomctl.runs.model import RunState

PARTS: Final = 48
"""Into how many equal parts the time is cut: half an hour each where it is a day."""

SHORTEST, LONGEST = timedelta(minutes=5), timedelta(days=90)
"""How long the time may be."""

_SUCCEEDED = frozenset({RunState.SUCCEEDED})
_FAILED = frozenset({RunState.FAILED, RunState.TIMED_OUT, RunState.ROLLED_BACK, RunState.ROLLBACK_INCOMPLETE})

Unit: TypeAlias = Literal["count", "share", "seconds"]
Value: TypeAlias = float | None
"""None where there is nothing to speak of: a share of no runs, a duration of no steps."""


@dataclass(frozen=True, slots=True)
class Series:
    """One value for each part, oldest first, and `whole`, the value for all the time."""

    name: str
    title: str
    unit: Unit
    values: tuple[Value, ...]
    whole: Value


@dataclass(frozen=True, slots=True)
class Figure:
    """One value as of `Overview.until`."""

    name: str
    title: str
    unit: Unit
    value: Value


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is to see between `since` and `until` (UTC); the figures are as of `until`."""

    since: datetime
    until: datetime
    series: tuple[Series, ...]
    figures: tuple[Figure, ...]
    open_runs: Mapping[str, int]

    @property
    def part(self) -> timedelta:
        """How long each part is."""
        return (self.until - self.since) / PARTS


def counted(name: str, title: str, rows: Iterable[Mapping[str, Any]], column: str) -> Series:
    """A number of things in each part."""
    counts = [0.0] * PARTS
    for row in rows:
        # A moment just before the end may be rounded up to it.
        counts[min(row["bucket"], PARTS - 1)] += row[column]
    return Series(name, title, "count", tuple(counts), sum(counts))


def of_ended(rows: Sequence[Mapping[str, Any]]) -> tuple[Series, ...]:
    """How runs ended."""
    succeeded = counted("runs_succeeded", "runs succeeded", _in_states(rows, _SUCCEEDED), "runs")
    failed = counted("runs_failed", "runs failed", _in_states(rows, _FAILED), "runs")
    shares = tuple(map(share, failed.values, succeeded.values))
    return (
        succeeded,
        failed,
        Series("failure_rate", "failure rate", "share", shares, share(failed.whole, succeeded.whole)),
    )


def _in_states(rows: Iterable[Mapping[str, Any]], states: frozenset[RunState]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["state"] in states]


def share(failed: Value, succeeded: Value) -> Value:
    """Which share failed; None where none ended."""
    whole = (failed or 0.0) + (succeeded or 0.0)
    return (failed or 0.0) / whole if whole else None


def of_steps(rows: Sequence[Mapping[str, Any]]) -> tuple[Series, ...]:
    """How long step attempts took."""
    whole = next((row for row in rows if row["bucket"] is None), {"half": None, "most": None})
    parts = {min(row["bucket"], PARTS - 1): row for row in rows if row["bucket"] is not None}
    return tuple(
        Series(
            name,
            title,
            "seconds",
            tuple(parts[number][column] if number in parts else None for number in range(PARTS)),
            whole[column],
        )
        for name, title, column in (
            ("step_seconds_p50", "step time, half", "half"),
            ("step_seconds_p95", "step time, 95 of 100", "most"),
        )
    )


def figures(row: Mapping[str, Any]) -> tuple[Figure, ...]:
    """What waits."""
    return (
        Figure("approvals_waiting", "approvals waiting", "count", row["approvals"]),
        Figure("approval_oldest_seconds", "oldest approval waiting", "seconds", row["approval_seconds"]),
        Figure("audit_waiting", "entries not yet in the audit log", "count", row["entries"]),
        Figure("audit_lag_seconds", "oldest entry not yet in it", "seconds", row["entry_seconds"]),
        Figure("signals_open", "signals open", "count", row["signals"]),
    )
