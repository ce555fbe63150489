"""Workers are killed, stopped and cut off in the middle of runs: every run ends, every recorded step ran once."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter

import pytest
from tests.chaos.crew import Crew, processes_with
from tests.fakes.yard import Yard, manifest, until
from tests.servers.process import await_stopped

from atomctl.runs import service as runs
from atomctl.runs.model import Answer, Attempt, AttemptState, Run, RunState


def three_steps(mark: str, *, idempotency: str = "safe") -> str:
    """Three steps that sleep; `mark` is the number of seconds, and finds their processes."""
    step = "  - {{name: {name}, type: shell, idempotency: {how}, config: {{command: [sleep, '{mark}']}}}}"
    lines = [step.format(name=name, how=idempotency, mark=mark) for name in ("one", "two", "three")]
    return manifest("handlers:\n" + "\n".join(lines))


def fresh_mark(seconds: str) -> str:
    """A duration that no other process on this machine sleeps for."""
    return f"{seconds}{random.randrange(10**9):09d}"


def assert_each_recorded_step_ran_once(yard: Yard, crew: Crew, all_runs: list[Run]) -> list[Attempt]:
    """Each attempt was executed at most once, each step succeeded exactly once, and what was lost says so."""
    executed = crew.executed()
    assert set(executed.values()) <= {1}
    attempts = [attempt for run in all_runs for attempt in yard.attempts(run)]
    assert not executed.keys() - {attempt.id for attempt in attempts}, "an execution without an intent"
    for run in all_runs:
        won = Counter(a.step for a in yard.attempts(run) if a.state is AttemptState.SUCCEEDED)
        assert won == {"one": 1, "two": 1, "three": 1}
    assert {attempt.state for attempt in attempts} <= {AttemptState.SUCCEEDED, AttemptState.LOST}
    return attempts


@pytest.mark.slow
def test_a_killed_worker_in_the_middle_of_fifty_runs_costs_no_run_and_repeats_no_recorded_step(
    yard: Yard, crew: Crew
) -> None:
    mark = fresh_mark("0.05")
    package = yard.publish(three_steps(mark))
    first = crew.hire()
    all_runs = [yard.start(package) for _ in range(50)]
    until(lambda: sum(yard.get(run).state is RunState.SUCCEEDED for run in all_runs), lambda done: done >= 10)
    first.send_signal(signal.SIGKILL)
    first.wait()
    killed = time.monotonic()
    recorded = {a.id for run in all_runs for a in yard.attempts(run) if a.state is AttemptState.SUCCEEDED}
    assert len(recorded) < 150, "the worker had already finished"
    crew.hire()
    for run in all_runs:
        assert yard.wait(run, timeout=90).state is RunState.SUCCEEDED
    attempts = assert_each_recorded_step_ran_once(yard, crew, all_runs)
    lost = [attempt for attempt in attempts if attempt.state is AttemptState.LOST]
    print(f"all ended {time.monotonic() - killed:.1f} s after the kill; {len(lost)} attempts were lost with the worker")
    assert recorded <= {attempt.id for attempt in attempts if attempt.state is AttemptState.SUCCEEDED}
    assert until(lambda: processes_with(mark), lambda found: not found) == []


@pytest.mark.slow
def test_a_stopped_worker_loses_its_runs_and_its_late_result_is_refused(yard: Yard, crew: Crew) -> None:
    mark = fresh_mark("1.5")
    first = crew.hire(lease=2.0)
    run = yard.start(yard.publish(three_steps(mark)))
    until(lambda: processes_with(mark), bool)
    first.send_signal(signal.SIGSTOP)
    await_stopped(first.pid)
    crew.hire(lease=2.0)
    ended = yard.wait(run, timeout=60)
    assert ended.state is RunState.SUCCEEDED
    before = yard.attempts(run)
    first.send_signal(signal.SIGCONT)
    assert first.wait(60) == 3, crew.log_of(0)
    assert yard.attempts(run) == before
    assert [(a.step, a.state.value) for a in before] == [
        ("one", "LOST"),
        ("one", "SUCCEEDED"),
        ("two", "SUCCEEDED"),
        ("three", "SUCCEEDED"),
    ]
    assert until(lambda: processes_with(mark), lambda found: not found) == []


@pytest.mark.slow
def test_a_step_that_may_not_be_repeated_asks_a_person_after_its_worker_died(yard: Yard, crew: Crew) -> None:
    mark = fresh_mark("30.0")
    first = crew.hire()
    run = yard.start(yard.publish(three_steps(mark, idempotency="unsafe")))
    until(lambda: processes_with(mark), bool)
    first.kill()
    first.wait()
    crew.hire()
    asking = yard.wait(run, RunState.NEEDS_DECISION, timeout=30)
    assert asking.code == "RUN613"
    assert yard.states(run) == {"one": "UNKNOWN", "two": "PENDING", "three": "PENDING"}
    assert until(lambda: processes_with(mark), lambda found: not found) == []
    with yard.sessions.tenant(yard.tenant_id) as conn:
        runs.resolve(conn, yard.olga, run.id, "one", Answer.DONE)
    until(lambda: yard.states(run)["two"], lambda state: state in {"STARTING", "RUNNING"})
    assert yard.states(run)["one"] == "SUCCEEDED"
    with yard.sessions.tenant(yard.tenant_id) as conn:
        runs.cancel(conn, yard.olga, run.id, "enough seen")
    assert yard.wait(run).state is RunState.CANCELLED


@pytest.mark.slow
def test_a_worker_that_is_asked_to_stop_finishes_its_step_and_hands_the_run_over(yard: Yard, crew: Crew) -> None:
    mark = fresh_mark("1.0")
    first = crew.hire()
    run = yard.start(yard.publish(three_steps(mark, idempotency="unsafe")))
    until(lambda: processes_with(mark), bool)
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0, crew.log_of(0)
    assert yard.states(run)["one"] == "SUCCEEDED"
    assert yard.states(run)["three"] == "PENDING"
    crew.hire()
    assert yard.wait(run).state is RunState.SUCCEEDED
    assert_each_recorded_step_ran_once(yard, crew, [run])
