"""Where Prometheus finds the processes of a home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from atomctl.telemetry.targets import announced


def test_a_process_is_named_as_long_as_it_runs(tmp_path: Path) -> None:
    with announced(tmp_path, "worker", "127.0.0.1:4711") as file:
        assert file == tmp_path / "targets" / f"worker-{os.getpid()}.json"
        assert json.loads(file.read_text()) == [{"targets": ["127.0.0.1:4711"], "labels": {"process": "worker"}}]
    assert list((tmp_path / "targets").iterdir()) == []


def test_what_a_killed_process_left_is_removed_by_the_next_one_of_its_kind(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    folder = tmp_path / "targets"
    folder.mkdir()
    for name in (
        f"worker-{gone.pid}.json",
        f"server-{gone.pid}.json",
        "worker-notes.json",
        f"worker-{os.getppid()}.json",
    ):
        (folder / name).write_text("[]")
    with announced(tmp_path, "worker", "127.0.0.1:1"):
        left = {file.name for file in folder.iterdir()}
    assert left == {
        f"server-{gone.pid}.json",
        "worker-notes.json",
        f"worker-{os.getppid()}.json",
        f"worker-{os.getpid()}.json",
    }
