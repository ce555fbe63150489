"""However a step ends, and whoever dies, no process of it is left."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from tests.integration.runs_steps.conftest import processes_with, until

from atomctl.runs.masking import Masker
from atomctl.runs.orders import write_report
from atomctl.runs.steps import codes
from atomctl.runs.steps.executors import StepExecutor
from atomctl.runs.steps.model import Outcome
from atomctl.runs.steps.shell import recorded

if TYPE_CHECKING:
    from atomctl.runs.orders import Report

DAEMON = """
daemonize() { ( setsid sh -c '( trap "" TERM HUP; exec sleep "$1" ) & exit' _ "$1" & ) ; }
"""


@pytest.fixture
def marker() -> str:
    """A number of seconds to sleep that no other process on this machine has in its command line."""
    return f"86{uuid4().int % 10**10:010d}"


def test_a_timeout_ends_the_step_and_its_daemons(bench: Any, marker: str) -> None:
    begun = time.monotonic()
    result = bench.run(
        f"{DAEMON} daemonize {marker}; daemonize {marker}; trap '' TERM; sleep {marker}; sleep {marker}", timeout=1
    )
    assert (result.outcome, result.code) == (Outcome.TIMED_OUT, codes.TIMED_OUT)
    assert time.monotonic() - begun < 10
    assert processes_with(marker) == []


def test_a_step_that_succeeds_leaves_no_daemon_behind(bench: Any, marker: str) -> None:
    result = bench.run(f"{DAEMON} daemonize {marker}; echo started")
    assert result.outcome is Outcome.SUCCEEDED
    assert processes_with(marker) == []


def test_a_step_that_is_asked_to_end_can_tidy_up(bench: Any) -> None:
    result = bench.run("trap 'echo tidied; exit 0' TERM; while :; do sleep 0.05; done", timeout=0.7)
    assert result.outcome is Outcome.TIMED_OUT
    assert "tidied" in bench.log.text()


def test_a_cancel_ends_a_running_step_at_once(bench: Any, marker: str) -> None:
    def cancel() -> None:
        until(lambda: processes_with(f"sleep\0{marker}"))
        bench.cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    begun = time.monotonic()
    result = bench.run(f"{DAEMON} daemonize {marker}; sleep {marker}", timeout=60)
    assert (result.outcome, result.code) == (Outcome.CANCELLED, codes.CANCELLED)
    assert time.monotonic() - begun < 20
    assert processes_with(marker) == []


def test_a_cancel_that_came_first_starts_as_little_as_possible(bench: Any, marker: str) -> None:
    bench.cancelled.set()
    assert bench.run(f"sleep {marker}", timeout=60).outcome is Outcome.CANCELLED
    assert processes_with(marker) == []


def test_a_cancel_is_heard_by_a_step_that_closed_its_streams(bench: Any, marker: str) -> None:
    def cancel() -> None:
        until(lambda: processes_with(f"sleep\0{marker}"))
        bench.cancelled.set()

    threading.Thread(target=cancel, daemon=True).start()
    assert bench.run(f"exec >/dev/null 2>&1; sleep {marker}", timeout=60).outcome is Outcome.CANCELLED


def supervisors(parent: int) -> list[int]:
    """The supervising processes below `parent`, outermost first."""
    return sorted(pid for pid in processes_with("atomctl.runs.supervisor") if _is_below(pid, parent))


def _is_below(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


@pytest.mark.parametrize("victim", [0, -1])
def test_nothing_survives_the_kill_of_a_supervisor(bench: Any, marker: str, victim: int) -> None:
    def kill() -> None:
        until(lambda: len(processes_with(f"sleep\0{marker}")) >= 2)
        os.kill(supervisors(os.getpid())[victim], signal.SIGKILL)

    threading.Thread(target=kill, daemon=True).start()
    result = bench.run(f"{DAEMON} daemonize {marker}; sleep {marker}", timeout=60)
    assert (result.outcome, result.code) == (Outcome.FAILED, codes.SUPERVISOR_LOST)
    until(lambda: not processes_with(marker), seconds=5)


WORKER = """
import sys
from pathlib import Path
from tests.integration.runs_steps.conftest import Bench
from atomctl.runs.isolation import Isolation
from atomctl.runs.steps.model import IsolationLevel
from atomctl.runs.steps.site import Site
level, bwrap, scratch, package, script, attempt = sys.argv[1:]
from uuid import UUID
site = Site(scratch=Path(scratch), isolation=Isolation(IsolationLevel(level), bwrap or None, "test"))
bench = Bench(site, Path(package), attempt_id=UUID(attempt))
print(bench.run(script, timeout=60).outcome)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_survives_the_kill_of_the_worker(bench: Any, marker: str, how: signal.Signals) -> None:
    isolation, attempt = bench.site.isolation, uuid4()
    arguments = [isolation.level, isolation.bwrap or "", str(bench.site.scratch), str(bench.package)]
    script = f"{DAEMON} daemonize {marker}; sleep {marker}"
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER, *arguments, script, str(attempt)],
        env={**os.environ, "PYTHONPATH": "."},
    )
    try:
        until(lambda: len(processes_with(f"sleep\0{marker}")) >= 2)
        worker.send_signal(how)
        assert worker.wait(20) == -how
        until(lambda: not processes_with(f"sleep\0{marker}"), seconds=5)
    finally:
        worker.kill()
        worker.wait()
    report = bench.site.attempt_folder(attempt) / "result.json"
    until(report.exists, seconds=5)
    assert '"abandoned"' in report.read_text()


def test_the_end_of_a_step_whose_worker_died_too_late_is_found_again(bench: Any) -> None:
    """The supervisor's report and the outputs are what is left when the worker dies between the end and the record."""

    attempt = uuid4()
    folder = bench.site.attempt_folder(attempt)
    folder.mkdir()
    (folder / "output").write_text('{"done": "swordfish"}\n')
    report: Report = {"outcome": "succeeded", "exit_code": 0, "started": 1.0, "ended": 2.0, "killed": 0, "error": None}
    write_report(str(folder / "result.json"), report)
    found = recorded(attempt, bench.site, Masker(["swordfish"]))
    assert found is not None
    assert (found.outcome, found.outputs) == (Outcome.SUCCEEDED, {"done": "***"})
    write_report(str(folder / "result.json"), {**report, "outcome": "abandoned"})
    assert StepExecutor(bench.site).recorded(attempt) is None


def test_a_report_that_cannot_be_written_fails_the_step_with_a_code_and_no_traceback(bench: Any) -> None:
    """The report has nowhere to go: its folder is gone when the step ends."""
    folder = bench.site.attempt_folder(bench.attempt_id)

    def lose_the_folder() -> None:
        until(lambda: processes_with("sleep\x000.987"))
        shutil.rmtree(folder)

    threading.Thread(target=lose_the_folder, daemon=True).start()
    result = bench.run("sleep 0.987")
    assert (result.outcome, result.code) == (Outcome.FAILED, codes.SUPERVISOR_LOST)
    assert "no report of this step can be given" in bench.log.text()
    assert "Traceback" not in bench.log.text()
