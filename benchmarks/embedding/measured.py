"""One side of the comparison, in a process of its own: `python measured.py ours|theirs < sentences.json`.

The other side's environment has neither ATOM nor its development tools, so nothing of them is imported here unless it
is ATOM's turn. Printed as JSON: seconds on the clock and of CPU for all sentences after a warm-up; the peak of resident
memory in MB by the kernel's own count (`VmHWM`), and what of it lies in CUDA's libraries, which compute nothing here;
the vectors, and the numbers of the pieces.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WARM_UP = ["a sentence to warm up with"] * 8
Embed = Callable[[list[str]], Any]


def ours(threads: int) -> tuple[Embed, Callable[[str], list[int]]]:
    """ATOM's embedder as the settings give it."""
    from atomctl.embedding.opening import local
    from atomctl.settings import load_settings

    model = local(load_settings(env={"ATOM_EMBEDDING_THREADS": str(threads)}))
    return model.embed, model.tokenizer.numbers


def theirs(threads: int) -> tuple[Embed, Callable[[str], list[int]]]:
    """sentence-transformers with the same files, its own batches, on the CPU."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads)
    model = SentenceTransformer(os.environ["BENCH_MODEL"], device="cpu")

    def embed(texts: list[str]) -> Any:
        return model.encode(texts, normalize_embeddings=True, show_progress_bar=False)

    return embed, lambda text: model.tokenizer(text, truncation=True, max_length=256)["input_ids"]


def peak_mb() -> float:
    """Of this program alone; unlike `ru_maxrss`, it forgets whoever started it."""
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def cuda_mb() -> float:
    """Resident pages of libraries that are there for graphics processors alone."""
    resident, counted = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            counted = "/nvidia/" in line or "cuda" in line
        elif words[0] == "Rss:" and counted:
            resident += int(words[1])
    return resident / 1024


def main() -> None:
    threads, given = int(os.environ["BENCH_THREADS"]), json.load(sys.stdin)
    embed, pieces = {"ours": ours, "theirs": theirs}[sys.argv[1]](threads)
    embed(WARM_UP)
    began, spent = time.perf_counter(), time.process_time()
    vectors = embed(given)
    seconds, cpu = time.perf_counter() - began, time.process_time() - spent
    peak, cuda = peak_mb(), cuda_mb()
    print(
        json.dumps(
            {
                "seconds": seconds,
                "cpu_seconds": cpu,
                "peak_mb": peak,
                "cuda_mb": cuda,
                "vectors": [[round(float(number), 7) for number in vector] for vector in vectors],
                "pieces": [list(map(int, pieces(text))) for text in given],
            }
        )
    )


if __name__ == "__main__":
    main()
