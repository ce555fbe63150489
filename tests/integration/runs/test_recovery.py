"""What happens to attempts and segments whose worker, thread or engine workflow is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.fakes.scripted import Scripted, ended, let_go, said_no
from tests.fakes.yard import Yard, manifest, until, working

from atomctl.approvals import service as approvals
from atomctl.db.address import DatabaseAddress
from atomctl.db.ids import new_id
from atomctl.db.session import Sessions
from atomctl.errors import AtomError
from atomctl.objects import codes as objects
from atomctl.runs import segments
from atomctl.runs import service as runs
from atomctl.runs.engine import EngineState, EngineWork
from atomctl.runs.expiry import expire_approvals
from atomctl.runs.live import Interruption, LiveSegments, look
from atomctl.runs.membership import Member, Patience
from atomctl.runs.model import Answer, RunState, SegmentKey
from atomctl.runs.recovery import Recovery
from atomctl.runs.relay import Relay
from atomctl.runs.steps.model import Outcome, StepRequest, StepResult
from atomctl.worker import WorkerOptions

FAST = WorkerOptions(poll=0.05, watch=0.05, recover=0.1, quiet=timedelta(milliseconds=300))
STEP = """
handlers:
  - {{name: only, type: shell, idempotency: {how}, config: {{command: [echo, only]}}{more}}}
"""


def crash(request: StepRequest) -> StepResult:
    raise RuntimeError("a fault in the worker itself")


def no_room(request: StepRequest) -> StepResult:
    raise AtomError(objects.FULL, "the disk is full")


def step(how: str, more: str = "") -> str:
    return manifest(STEP.format(how=how, more=more))


def test_a_step_that_may_be_repeated_is_after_a_fault_of_the_worker(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    steps = Scripted(crash)
    with working(database, yard, steps, scratch, FAST):
        run = yard.wait(yard.start(yard.publish(step("safe"))))
    assert run.state is RunState.SUCCEEDED
    assert [attempt.state.value for attempt in yard.attempts(run)] == ["LOST", "SUCCEEDED"]
    keys = {request.idempotency_key for request in steps.requests}
    assert keys == {f"{run.id}/only"}


def test_a_run_whose_segments_fail_again_and_again_stops_and_says_so(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    with working(database, yard, Scripted(crash, crash, crash, crash, crash), scratch, FAST):
        run = yard.wait(yard.start(yard.publish(step("safe"))))
    assert (run.state, run.code) == (RunState.FAILED, "RUN618")


@pytest.mark.parametrize(("answer", "state"), [(Answer.DONE, "SUCCEEDED"), (Answer.AGAIN, "SUCCEEDED")])
def test_an_unsafe_step_asks_and_the_answer_settles_it(
    yard: Yard, database: DatabaseAddress, scratch: Path, answer: Answer, state: str
) -> None:
    scratch.mkdir()
    steps = Scripted(let_go)
    with working(database, yard, steps, scratch, FAST):
        run = yard.start(yard.publish(step("unsafe")))
        yard.wait(run, RunState.NEEDS_DECISION)
        with yard.sessions.tenant(yard.tenant_id) as conn:
            runs.resolve(conn, yard.olga, run.id, "only", answer)
        assert yard.wait(run).state is RunState.SUCCEEDED
    assert yard.states(run) == {"only": state}
    assert len(steps.requests) == (1 if answer is Answer.DONE else 2)


def test_an_unsafe_step_that_is_rolled_back_is_undone(yard: Yard, database: DatabaseAddress, scratch: Path) -> None:
    scratch.mkdir()
    undo = "rollback:\n  handlers:\n    - {name: undo, type: shell, compensates: only, config: {command: [echo, undo]}}"
    spec = STEP.format(how="unsafe", more="") + undo
    with working(database, yard, Scripted(let_go), scratch, FAST):
        run = yard.start(yard.publish(manifest(spec)))
        yard.wait(run, RunState.NEEDS_DECISION)
        with yard.sessions.tenant(yard.tenant_id) as conn:
            runs.resolve(conn, yard.olga, run.id, "only", Answer.ROLL_BACK)
        assert yard.wait(run).state is RunState.ROLLED_BACK
    assert yard.states(run) == {"only": "COMPENSATED", "undo": "SUCCEEDED"}


@pytest.mark.parametrize(
    ("probe", "executions"),
    [(ended(Outcome.SUCCEEDED), ["only", "only"]), (said_no(), ["only"] * 3)],
    ids=["it happened", "it did not"],
)
def test_a_probe_says_whether_a_lost_step_happened(
    yard: Yard, database: DatabaseAddress, scratch: Path, probe: StepResult, executions: list[str]
) -> None:
    scratch.mkdir()
    steps = Scripted(let_go, lambda request: probe)
    more = ", probe: {type: shell, config: {command: [test, -e, /x]}}"
    with working(database, yard, steps, scratch, FAST):
        run = yard.wait(yard.start(yard.publish(step("check", more))))
    assert run.state is RunState.SUCCEEDED
    assert [request.step_name for request in steps.requests] == executions
    assert steps.requests[1].config == {"command": ["test", "-e", "/x"]}


def test_a_probe_that_gives_no_answer_is_not_a_no(yard: Yard, database: DatabaseAddress, scratch: Path) -> None:
    scratch.mkdir()
    steps = Scripted(let_go, lambda request: ended(Outcome.TIMED_OUT))
    more = ", probe: {type: shell, config: {command: [test, -e, /x]}}"
    with working(database, yard, steps, scratch, FAST):
        run = yard.wait(yard.start(yard.publish(step("check", more))), RunState.NEEDS_DECISION)
    assert run.state is RunState.NEEDS_DECISION
    assert [request.step_name for request in steps.requests] == ["only", "only"]


def test_a_result_that_the_supervisor_left_behind_is_taken_instead_of_asking(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    steps = Scripted(let_go)
    steps.left_behind = ended(Outcome.SUCCEEDED)
    with working(database, yard, steps, scratch, FAST):
        run = yard.wait(yard.start(yard.publish(step("unsafe"))))
    assert run.state is RunState.SUCCEEDED
    assert len(steps.requests) == 1


def test_a_full_disk_fails_the_step_with_its_code(yard: Yard, database: DatabaseAddress, scratch: Path) -> None:
    scratch.mkdir()
    with working(database, yard, Scripted(no_room), scratch, FAST):
        run = yard.wait(yard.start(yard.publish(step("safe"))))
    assert run.state is RunState.FAILED
    assert run.code == objects.FULL.id


class NoEngine:
    """An engine that knows what the test says, and notes what it is told."""

    def __init__(self, *known: EngineWork) -> None:
        self.known = known
        self.submitted: list[SegmentKey] = []
        self.recovered: list[str] = []

    def submit(self, segment: SegmentKey) -> None:
        self.submitted.append(segment)

    def unfinished(self) -> list[EngineWork]:
        return [work for work in self.known if work.state is EngineState.TAKEN]

    def find(self, engine_ids: object) -> dict[str, EngineWork]:
        return {work.engine_id: work for work in self.known}

    def recover(self, engine_ids: object) -> None:
        self.recovered += list(engine_ids)  # type: ignore[call-overload]  # an iterable of ids

    def forget(self, before: datetime) -> int:
        return 0


def test_the_relay_enqueues_what_is_ready_once(
    yard: Yard, worker_sessions: Sessions, database: DatabaseAddress
) -> None:
    run = yard.start(yard.publish(step("safe")))
    engine = NoEngine()
    relay = Relay(worker_sessions, database, engine)
    assert relay.relay_once() == 1
    assert engine.submitted == [SegmentKey(yard.tenant_id, run.id, 1)]
    assert relay.relay_once() == 0


def test_what_a_dead_worker_holds_is_put_back_and_what_a_living_one_holds_is_not(
    worker_sessions: Sessions, database: DatabaseAddress
) -> None:
    alive = Member(database, new_id(), {"host": "here", "pid": 1, "version": "1", "isolation": "none"})
    alive.join()
    dead = new_id()
    engine = NoEngine(
        EngineWork("run:a:1", EngineState.TAKEN, str(dead)),
        EngineWork("run:b:1", EngineState.TAKEN, str(alive.worker_id)),
    )
    assert Recovery(worker_sessions, engine, str(alive.worker_id), LiveSegments()).look() == 1
    assert engine.recovered == ["run:a:1"]
    alive.leave()


def test_a_worker_that_is_gone_is_declared_dead_and_may_not_come_back(database: DatabaseAddress) -> None:
    patience = Patience(unlocked=timedelta(milliseconds=50), locked=timedelta(seconds=60))
    facts = {"host": "here", "pid": 1, "version": "1", "isolation": "none"}
    gone, watching = (Member(database, new_id(), facts, patience) for _ in range(2))
    gone.join()
    watching.join()
    gone.close()
    died = until(lambda: watching.beat().died, bool)
    assert died == (gone.worker_id,)
    assert not gone.beat().member
    assert watching.beat().member
    gone.close()
    watching.close()


def test_a_worker_that_holds_its_lock_has_until_the_end_of_its_lease(database: DatabaseAddress) -> None:
    patience = Patience(unlocked=timedelta(milliseconds=10), locked=timedelta(milliseconds=400))
    facts = {"host": "here", "pid": 1, "version": "1", "isolation": "none"}
    silent, watching = (Member(database, new_id(), facts, patience) for _ in range(2))
    silent.join()
    watching.join()
    watching.beat()
    assert watching.beat().died == ()
    assert until(lambda: watching.beat().died, bool) == (silent.worker_id,)
    silent.close()
    watching.close()


def test_a_taken_over_segment_is_fenced_off(yard: Yard, worker_sessions: Sessions) -> None:
    run = yard.start(yard.publish(step("safe")))
    key = SegmentKey(yard.tenant_id, run.id, 1)
    with worker_sessions.tenant(yard.tenant_id) as conn:
        first = segments.claim(conn, key, new_id())
    assert first is not None
    live = LiveSegments()
    with live.track(first) as entry:
        assert look(worker_sessions, live) == 0
        with worker_sessions.tenant(yard.tenant_id) as conn:
            assert segments.claim(conn, key, new_id()) is not None
        assert look(worker_sessions, live) == 1
        assert entry.reason is Interruption.FENCED
        assert entry.interrupted.is_set()
    with pytest.raises(segments.LetGo), worker_sessions.tenant(yard.tenant_id) as conn:
        segments.held_run(conn, first)


def test_an_approval_nobody_decides_expires_and_ends_its_run(yard: Yard, worker_sessions: Sessions) -> None:
    text = step("safe").replace("approval_required: false", "approval_required: true")
    run = yard.request(yard.publish(text))
    assert run.approval_id is not None
    assert expire_approvals(worker_sessions, runs.on_approval) == 0
    with yard.sessions.tenant(yard.tenant_id) as conn:
        later = datetime.now(UTC) + timedelta(days=2)
        for approval in approvals.expire_due(conn, yard.tenant_id, later):
            runs.on_approval(conn, approval)
    assert yard.get(run).state is RunState.EXPIRED
