"""The Numenta Anomaly Benchmark's file format and its score.

A folder holds `data/GROUP/NAME.csv` (a header `timestamp,value`, one point a line) and
`labels/combined_windows.json` (the windows of each file as pairs of timestamps). Source of the format and of the score:
Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015, and `nab/sweeper.py` of the benchmark.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

MOST_FILES, MOST_POINTS = 200, 50_000
"""More is not read: a run of the benchmark stays bounded."""

TRUE_POSITIVE, FALSE_NEGATIVE, FALSE_POSITIVE = 1.0, 1.0, 0.11
"""The weights of the standard profile."""

_PROBATION, _PROBATION_POINTS = 0.15, 5_000
"""The share of a file, of at most so many points, in which detections do not count."""

_STEEPNESS = 5.0
_FAR = 3.0
"""Window widths behind a window from which on a detection is wholly wrong."""


class BadDataError(ValueError):
    """The folder is not there, or holds something else than the benchmark's files."""


@dataclass(frozen=True, slots=True)
class Window:
    """An anomaly: the indexes of its first and last point."""

    first: int
    last: int

    @property
    def width(self) -> int:
        """Its points."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Series:
    """One file of the benchmark: a value for each point, NaN where there is none, and its windows in order."""

    name: str
    values: tuple[float, ...]
    windows: tuple[Window, ...]


def read_folder(folder: Path) -> list[Series]:
    """All series that have an entry among the windows, by name.

    Raises:
        BadDataError: the folder is not there or of another form.
    """
    labels = folder / "labels" / "combined_windows.json"
    if not labels.is_file():
        raise BadDataError(f"no benchmark data: {labels} is missing")
    try:
        windows = json.loads(labels.read_text())
        names = sorted(windows)[:MOST_FILES]
        return [_series(folder, name, windows[name]) for name in names]
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadDataError(f"{folder} is not of the benchmark's form: {error}") from error


def _series(folder: Path, name: str, windows: Sequence[Sequence[str]]) -> Series:
    with (folder / "data" / name).open(newline="") as stream:
        rows = [row for row, _ in zip(csv.DictReader(stream), range(MOST_POINTS), strict=False)]
    times = {datetime.fromisoformat(row["timestamp"]): index for index, row in enumerate(rows)}
    bounds = [[times[datetime.fromisoformat(text)] for text in window] for window in windows]
    values = tuple(float(row["value"] or "nan") for row in rows)
    return Series(name, values, tuple(Window(first, last) for first, last in sorted(bounds)))


def probation(points: int) -> int:
    """How many points at the beginning of a file of so many do not count."""
    return math.floor(_PROBATION * min(points, _PROBATION_POINTS))


def raw_score(series: Series, detections: Sequence[int]) -> float:
    """The weighted sum of one file for the points at which something was detected."""
    start = probation(len(series.values))
    best = dict.fromkeys(series.windows, -FALSE_NEGATIVE)
    wrong = 0.0
    for point in (each for each in detections if each >= start):
        inside = next((window for window in series.windows if window.first <= point <= window.last), None)
        if inside is None:
            wrong += FALSE_POSITIVE * _outside(series.windows, point)
        else:
            best[inside] = max(best[inside], TRUE_POSITIVE * _inside(inside, point))
    return sum(best.values()) + wrong


def standard_score(scored: Sequence[tuple[Series, Sequence[int]]]) -> float:
    """0 for a detector that detects nothing, 100 for one that finds each window at its first point and nothing else.

    Raises:
        BadDataError: there is no window in any file.
    """
    windows = sum(len(series.windows) for series, _ in scored)
    if not windows:
        raise BadDataError("no file has a window")
    reached = sum(raw_score(series, detections) for series, detections in scored)
    perfect, null = TRUE_POSITIVE * windows, -FALSE_NEGATIVE * windows
    return 100 * (reached - null) / (perfect - null)


def _inside(window: Window, point: int) -> float:
    """1 at the first point of the window, nearly 0 at its last."""
    return _sigmoid(-(window.last - point + 1) / window.width) / _sigmoid(-1.0)


def _outside(windows: Sequence[Window], point: int) -> float:
    """Nearly 0 right behind a window, -1 far from one or before the first."""
    before = [window for window in windows if window.last < point]
    if not before:
        return -1.0
    nearest = before[-1]
    return _sigmoid((point - nearest.last) / max(nearest.width - 1, 1))


def _sigmoid(position: float) -> float:
    return -1.0 if position > _FAR else 2 / (1 + math.exp(_STEEPNESS * position)) - 1
