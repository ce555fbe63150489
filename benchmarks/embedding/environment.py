"""The environment of sentence-transformers: its own, from hashed requirements, in the cache beside the tests' tools.

PyTorch's package on PyPI is built for CUDA: it is not imported without most of the CUDA libraries, although nothing
here computes on them. What can be left out is left out of the requirements by `tools/lock.sh`.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tools.build import cache

REQUIREMENTS = Path(__file__).parents[2] / "requirements" / "sentence-transformers.txt"
_PATIENCE = 1800
"""Seconds that one call may take: some 2 GB are fetched."""


def python() -> Path:
    """Its interpreter; the environment is made if it is not there, which takes minutes and some 5 GB."""
    content = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:8]
    folder = cache() / f"sentence-transformers-{sys.implementation.cache_tag}-{content}"
    ready, program = folder / ".ready", folder / "bin" / "python"
    if not ready.exists():
        print(f"setting up sentence-transformers in {folder}", file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=_PATIENCE)
        install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"]
        subprocess.run([program, "-m", "pip", *install, "-r", REQUIREMENTS], check=True, timeout=_PATIENCE)
        ready.touch()
    return program
