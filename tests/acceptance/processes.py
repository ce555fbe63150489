"""Which processes of an instance are there, seen from outside, and waiting until that changes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 60.0


def until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Returns once `condition` holds; fails with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.05)


def processes_of(home: Path) -> dict[int, str]:
    """The command lines of all living processes that belong to the instance of `home`, by process id.

    They name the home in their environment (`up`, server, worker, what they start) or in their arguments (PostgreSQL).
    """
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                told = (entry / "environ").read_bytes() if line and "postgres" not in line else b""
                if f"ATOM_HOME={home}".encode() in told.split(b"\0") or str(home) in line:
                    found[int(entry.name)] = line
    return found


def one(home: Path, words: str) -> int:
    """The id of the one process of the instance whose command line holds `words`."""
    found = [pid for pid, line in processes_of(home).items() if words in line]
    assert len(found) == 1, f"{words}: {processes_of(home)}"
    return found[0]
