"""The series detector on the Numenta Anomaly Benchmark, beside a plain z-score in the same run.

    python -m benchmarks.insight FOLDER [--json]

FOLDER is a copy of the benchmark's repository (`data/` and `labels/combined_windows.json`), which is not part of this
project. Files are dealt by name into two halves. Window, threshold and cooldown are chosen on one half by the standard
score and the other half is scored with them, both ways round: `chosen on` is in sample and flatters, `held out` is what
to expect. The score `shipped` is of all files with the parameters of the product. Without data it says so and ends with
exit code 2. The whole benchmark (58 files, 365,000 points) takes some minutes on one core.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from benchmarks.insight.detectors import Detector, Scores, raised, shape, zscore
from benchmarks.insight.nab import BadDataError, Series, read_folder, standard_score

from atomctl.insight.series import DEFAULT

WINDOWS = (100, 200, 400)
COOLDOWNS = (0, 25, 50, 100, 200, 400)
THRESHOLDS = {
    "series": [4.0 + 0.25 * n for n in range(29)],
    "z-score": [1.0 + 0.25 * n for n in range(57)],
    "z-score with cooldown": [1.0 + 0.25 * n for n in range(57)],
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Parameters, and the standard score they reach."""

    variant: str
    threshold: float
    cooldown: int
    score: float


Table = Mapping[str, Mapping[str, Scores]]
"""The scores of every point by variant of a detector and name of a file."""


def score(files: Sequence[Series], table: Mapping[str, Scores], threshold: float, cooldown: int) -> float:
    """The standard score of these files."""
    return standard_score([(each, raised(table[each.name], threshold, cooldown)) for each in files])


def choose(files: Sequence[Series], table: Table, thresholds: Sequence[float], cooldowns: Sequence[int]) -> Choice:
    """The best parameters for these files; of equal ones the first."""
    tried = (
        Choice(variant, threshold, cooldown, score(files, table[variant], threshold, cooldown))
        for variant, threshold, cooldown in product(table, thresholds, cooldowns)
    )
    return max(tried, key=lambda choice: choice.score)


def halves(files: Sequence[Series]) -> tuple[list[Series], list[Series]]:
    """The files dealt out in turn by name, so that each half has of every group."""
    ordered = sorted(files, key=lambda each: each.name)
    return ordered[::2], ordered[1::2]


def tables(files: Sequence[Series]) -> tuple[dict[str, Table], float]:
    """The scores of every detector, and the points a second of the product's."""
    plain = _table(files, zscore)
    started = time.perf_counter()
    shapes = {f"window {window}": _table(files, shape(window)) for window in WINDOWS}
    points = len(WINDOWS) * sum(len(each.values) for each in files)
    rate = points / (time.perf_counter() - started)
    return {"series": shapes, "z-score": {"": plain}, "z-score with cooldown": {"": plain}}, rate


def _table(files: Sequence[Series], detector: Detector) -> dict[str, Scores]:
    return {each.name: detector(each.values) for each in files}


def evaluate(files: Sequence[Series]) -> dict[str, object]:
    """The whole report."""
    scored, rate = tables(files)
    report: dict[str, object] = {
        "files": len(files),
        "windows": sum(len(each.windows) for each in files),
        "points_per_second": round(rate),
    }
    first, second = halves(files)
    for name, table in scored.items():
        cooldowns = (0,) if name == "z-score" else COOLDOWNS
        folds = []
        for chosen_on, held_out in ((first, second), (second, first)):
            best = choose(chosen_on, table, THRESHOLDS[name], cooldowns)
            outside = score(held_out, table[best.variant], best.threshold, best.cooldown)
            folds.append(
                {
                    "parameters": f"{best.variant} threshold {best.threshold:g} cooldown {best.cooldown}".strip(),
                    "chosen_on": round(best.score, 1),
                    "held_out": round(outside, 1),
                }
            )
        report[name] = folds
    shipped = scored["series"][f"window {DEFAULT.window}"]
    report["shipped"] = round(score(files, shipped, DEFAULT.threshold, DEFAULT.cooldown), 1)
    return report


def show(report: Mapping[str, object]) -> None:
    for name, value in report.items():
        if not isinstance(value, list):
            print(f"{name:<24} {value}")
            continue
        for fold in value:
            print(
                f"{name:<24} chosen on {fold['chosen_on']:>5}   held out {fold['held_out']:>5}   {fold['parameters']}"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The series detector on the Numenta Anomaly Benchmark.")
    parser.add_argument("folder", type=Path, help="a copy of the benchmark's repository")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    given = parser.parse_args(arguments)
    try:
        files = read_folder(given.folder)
        report = evaluate(files)
    except BadDataError as error:
        print(f"not evaluated: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(report))
    else:
        show(report)
    return 0


if __name__ == "__main__":
    sys.exit(main())
