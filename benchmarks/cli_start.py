"""What it costs to start the command line, next to the bare start of the same interpreter.

    python benchmarks/cli_start.py [--rounds 25] [--json]

Every round starts each program once, in turn, so that other load on the machine meets all of them alike; the figures
are medians over the rounds. `x bare` is the median of the rounds' own quotients. Wall time is what a person waits for;
CPU time (user and system, of the process alone) is what remains comparable on a machine that is not quiet.
The source is compiled first, as pip compiles what it installs, so that a file edited a minute ago does not count.
The goals: `--help` at most 6 times the bare start, `validate` at most 15 times, `verify` at most 15 times.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
ATOMCTL = Path(sys.executable).with_name("atomctl")
GOALS = {"help": 6.0, "validate": 15.0, "verify": 15.0}
BARE = "bare"


@dataclass(frozen=True, slots=True)
class Cost:
    """One start: seconds on the clock and seconds of CPU."""

    wall: float
    cpu: float


def start(argv: Sequence[str | Path]) -> Cost:
    """Runs a program to its end, which must be a success; what it prints is thrown away."""
    began = time.perf_counter()
    process = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, argv))} ended with {process.returncode}")
    return Cost(wall, used.ru_utime + used.ru_stime)


def programs(folder: Path) -> dict[str, list[str | Path]]:
    """What is measured; `folder` afterwards holds a signed package for `verify`."""
    key, package = folder / "bench", folder / "hello.wpk"
    os.environ["COSIGN_PASSWORD"] = ""
    start([ATOMCTL, "keys", "generate", "--out", key])
    start([ATOMCTL, "pack", "examples/hello-atom", "--out", package])
    start([ATOMCTL, "sign", package, "--key", f"{key}.key"])
    return {
        BARE: [sys.executable, "-c", ""],
        "help": [ATOMCTL, "--help"],
        "validate": [ATOMCTL, "validate", "examples/hello-atom"],
        "verify": [ATOMCTL, "verify", package, "--key", f"{key}.pub"],
    }


def measure(lines: dict[str, list[str | Path]], rounds: int) -> dict[str, list[Cost]]:
    """The costs of each program, round by round; two rounds before them warm the file cache."""
    costs: dict[str, list[Cost]] = {name: [] for name in lines}
    for turn in range(rounds + 2):
        for name, argv in lines.items():
            cost = start(argv)
            if turn >= 2:
                costs[name].append(cost)
    return costs


def summary(costs: dict[str, list[Cost]]) -> dict[str, dict[str, float]]:
    """Medians in milliseconds, and how many times the bare start of the same round that is."""
    bare = costs[BARE]
    return {
        name: {
            "wall_ms": round(median(c.wall for c in found) * 1000, 1),
            "cpu_ms": round(median(c.cpu for c in found) * 1000, 1),
            "wall_x_bare": round(median(c.wall / b.wall for c, b in zip(found, bare, strict=True)), 1),
            "cpu_x_bare": round(median(c.cpu / b.cpu for c, b in zip(found, bare, strict=True)), 1),
        }
        for name, found in costs.items()
    }


def main() -> None:
    compileall.compile_dir(str(ROOT / "src" / "atomctl"), quiet=1)
    parser = argparse.ArgumentParser(description="The start of the command line, in bare interpreter starts.")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atom-bench-") as folder:
        found = summary(measure(programs(Path(folder)), options.rounds))
    result = {
        "schema": "atom.benchmark/v1",
        "name": "cli_start",
        "rounds": options.rounds,
        "starts": found,
        "goals_x_bare": GOALS,
        "met": {name: found[name]["wall_x_bare"] <= goal for name, goal in GOALS.items()},
    }
    print(json.dumps(result, indent=None if options.json else 2))
    if not options.json:
        print(f"\n{'':10}{'wall ms':>9}{'cpu ms':>9}{'x bare':>9}{'cpu x':>9}{'goal':>7}")
        for name, row in found.items():
            goal = f"{GOALS[name]:.0f}" if name in GOALS else "-"
            print(
                f"{name:10}{row['wall_ms']:9.1f}{row['cpu_ms']:9.1f}"
                f"{row['wall_x_bare']:9.1f}{row['cpu_x_bare']:9.1f}{goal:>7}"
            )


if __name__ == "__main__":
    main()
