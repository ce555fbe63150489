"""The engine behind its port, on a real database."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.fakes.yard import until

from atomctl.canonical import Json
from atomctl.db.address import DatabaseAddress
from atomctl.db.ids import new_id
from atomctl.db.roles import DatabaseRole
from atomctl.runs.engine import DbosEngine, EngineState
from atomctl.runs.interpreter import Durable
from atomctl.runs.model import SegmentKey
from atomctl.runs.segments import LetGo


class Bench:
    """An engine whose segments do what `act` says, and a count of what was executed."""

    def __init__(self, database: DatabaseAddress) -> None:
        self.executed: list[str] = []
        self.let_go = threading.Event()
        self.engine = DbosEngine(database, new_id(), self.run, poll=0.05)

    def run(self, segment: SegmentKey, durable: Durable) -> None:
        durable.step("first", lambda: self.note("first"))
        if self.let_go.is_set():
            raise LetGo
        durable.step("second", lambda: self.note("second"))

    def note(self, name: str) -> Json:
        self.executed.append(name)
        return {"step": name}

    def state(self, segment: SegmentKey) -> EngineState | None:
        found = self.engine.find([segment.engine_id]).get(segment.engine_id)
        return None if found is None else found.state


@pytest.fixture
def bench(database: DatabaseAddress) -> Iterator[Bench]:
    made = Bench(database)
    made.engine.start()
    yield made
    made.engine.stop()


def segment() -> SegmentKey:
    return SegmentKey(new_id(), new_id(), 1)


def test_a_segment_that_is_submitted_twice_is_executed_once(bench: Bench) -> None:
    key = segment()
    bench.engine.submit(key)
    bench.engine.submit(key)
    until(lambda: bench.state(key), lambda state: state is EngineState.ENDED)
    bench.engine.submit(key)
    assert bench.state(key) is EngineState.ENDED
    assert bench.executed == ["first", "second"]


def test_a_segment_that_was_let_go_is_recovered_and_repeats_no_recorded_step(bench: Bench) -> None:
    key = segment()
    bench.let_go.set()
    bench.engine.submit(key)
    until(lambda: bench.executed, bool)
    until(lambda: [work.engine_id for work in bench.engine.unfinished()], lambda ids: ids == [key.engine_id])
    bench.let_go.clear()
    bench.engine.recover([key.engine_id])
    until(lambda: bench.state(key), lambda state: state is EngineState.ENDED)
    assert bench.executed == ["first", "second"]


def test_history_is_forgotten_once_it_is_old_enough(bench: Bench) -> None:
    key = segment()
    bench.engine.submit(key)
    until(lambda: bench.state(key), lambda state: state is EngineState.ENDED)
    now = datetime.now(UTC)
    assert bench.engine.forget(now - timedelta(hours=1)) == 0
    assert bench.engine.forget(now + timedelta(hours=1)) == 1
    assert bench.engine.find([key.engine_id]) == {}


def test_what_the_engine_stores_is_json(bench: Bench, database: DatabaseAddress) -> None:
    key = segment()
    bench.engine.submit(key)
    until(lambda: bench.state(key), lambda state: state is EngineState.ENDED)
    with psycopg.connect(database.dsn(DatabaseRole.ENGINE)) as conn:
        formats = conn.execute(
            "SELECT serialization FROM engine.workflow_status UNION SELECT serialization FROM engine.operation_outputs"
        ).fetchall()
    assert formats == [("portable_json",)]


@pytest.mark.parametrize("role", [DatabaseRole.APP, DatabaseRole.WORKER])
def test_nobody_else_can_look_into_the_engine(bench: Bench, database: DatabaseAddress, role: DatabaseRole) -> None:
    with psycopg.connect(database.dsn(role)) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT * FROM engine.workflow_status")


def test_the_engine_cannot_look_into_atom(bench: Bench, database: DatabaseAddress) -> None:
    with (
        psycopg.connect(database.dsn(DatabaseRole.ENGINE)) as conn,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        conn.execute("SELECT * FROM atom.workflow_runs")
