from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from atomctl.runs import orders, process_tree
from atomctl.runs.cgroups import AttemptGroups
from atomctl.runs.steps.limits import limits_of
from atomctl.runs.steps.model import Limits
from atomctl.runs.steps.preparation import process_limits
from atomctl.wpk.model import Requirements

HEAVY = {
    "asyncio",
    "dataclasses",
    "enum",
    "inspect",
    "json",
    "logging",
    "pathlib",
    "re",
    "socket",
    "subprocess",
    "typing",
}


def test_the_supervisor_loads_next_to_nothing_because_every_attempt_waits_for_it() -> None:
    code = "import sys; before = set(sys.modules); import atomctl.runs.supervisor; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert not HEAVY & set(done.stdout.split())


def test_a_report_is_json_whatever_it_says_and_costs_no_import(tmp_path: Path) -> None:
    said = 'd\u00e9j\u00e0 "vu" \\ \n\x00\x7f \U0001f600 \udcff'
    report: orders.Report = {
        "outcome": "failed",
        "exit_code": None,
        "started": 1763920000.25,
        "ended": 1e9,
        "killed": 3,
        "error": said,
    }
    code = "import sys; from atomctl.runs.orders import write_report; write_report(sys.argv[1], eval(sys.argv[2])); "
    code += "assert 'json' not in sys.modules"
    file = tmp_path / "result.json"
    subprocess.run([sys.executable, "-I", "-c", code, file, ascii(report)], check=True, timeout=60)
    assert json.loads(file.read_bytes()) == report


def test_a_process_that_started_nothing_has_nothing_to_kill() -> None:
    code = "import os; from atomctl.runs import process_tree as t; t.parents = None; "
    code += "print(t.kill_descendants(os.getpid()))"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "(0, {})\n"


def test_an_order_survives_the_way_to_the_supervisor_and_leaves_what_follows_it() -> None:
    order: orders.Order = {
        "argv": ["true"],
        "env": {"A": "ä"},
        "cwd": "/",
        "user": None,
        "staged": {},
        "limits": {"CORE": 0},
        "cgroups": [],
        "sandboxed": True,
        "timeout": 1.5,
        "grace": 0.5,
        "egress": None,
        "report": "/x",
    }
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as stream:
        os.write(writing, orders.pack_order(order) + orders.CANCEL)
        os.close(writing)
        assert orders.read_order(reading) == order
        assert stream.read() == orders.CANCEL


@pytest.mark.parametrize(
    ("sent", "problem"), [(b"", EOFError), (b"\0\0\0\x08abc", EOFError), (b"\xff" * 8, ValueError)]
)
def test_half_an_order_or_a_huge_one_is_not_carried_out(sent: bytes, problem: type[Exception]) -> None:
    reading, writing = os.pipe()
    os.write(writing, sent)
    os.close(writing)
    try:
        with pytest.raises(problem):
            orders.read_order(reading)
    finally:
        os.close(reading)


def test_descendants_are_found_below_each_other_and_nowhere_else() -> None:
    tree = {1: 0, 10: 1, 11: 10, 12: 10, 13: 12, 20: 1, 21: 20}
    assert process_tree.descendants(10, tree) == [11, 12, 13]
    assert process_tree.descendants(21, tree) == []


def test_this_process_has_the_parent_the_system_says() -> None:
    assert process_tree.parents()[os.getpid()] == os.getppid()


def test_the_threads_of_a_user_are_counted_because_the_kernel_counts_them() -> None:
    before = process_tree.threads_of(os.geteuid())
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        assert process_tree.threads_of(os.geteuid()) >= 2
    finally:
        done.set()
        thread.join()
    assert before >= 1
    assert process_tree.threads_of(2**31 - 7) == 0


def test_a_limit_on_processes_leaves_room_for_those_its_user_has_already() -> None:
    free = process_limits(Limits(processes=50), AttemptGroups(), running=700)
    assert free["NPROC"] == 750
    together = process_limits(Limits(), AttemptGroups(controllers=frozenset({"pids", "memory"})), running=0)
    assert together.keys() == {"CORE", "CPU", "FSIZE", "NOFILE"}


def test_what_a_package_declares_takes_the_place_of_what_every_attempt_may_use() -> None:
    declared = limits_of(Requirements(memory="64Mi", storage="1Gi"), Limits())
    assert (declared.memory_bytes, declared.scratch_bytes, declared.file_bytes) == (64 << 20, 1 << 30, 1 << 30)
    assert limits_of(Requirements(cpu="100m", storage="16Mi"), Limits()) == Limits(scratch_bytes=16 << 20)


def test_nobody_gets_more_of_a_worker_than_the_rules_let_anybody_ask_for() -> None:
    greedy = limits_of(Requirements(memory="100Ti", storage="100Ti"), Limits())
    assert (greedy.memory_bytes, greedy.file_bytes) == (8 << 30, 8 << 30)


def test_programs_may_reserve_more_than_the_memory_that_is_declared() -> None:
    small = process_limits(Limits(memory_bytes=64 << 20), AttemptGroups(), running=0)
    large = process_limits(Limits(memory_bytes=2 << 30), AttemptGroups(), running=0)
    assert (small["AS"], large["AS"]) == (Limits().memory_bytes, 2 << 30)
