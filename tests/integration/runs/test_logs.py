"""Logs: live, resumable, masked before they get here, and damage is noticed."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from tests.fakes.yard import Yard, manifest, until, working

from atomctl.db.address import DatabaseAddress
from atomctl.errors import AtomError
from atomctl.runs import service as runs
from atomctl.runs.attempt_log import CHUNK
from atomctl.runs.model import Run, RunState
from atomctl.runs.steps.model import IsolationLevel, LogSink, Outcome, StepRequest, StepResult
from atomctl.worker import WorkerOptions

SPEC = """
handlers:
  - {name: a, type: shell, config: {command: [echo]}}
  - {name: b, type: shell, config: {command: [echo]}}
"""


class Talking:
    """Steps that say what the test wants; the first waits in the middle until it may go on."""

    def __init__(self, first: bytes, second: bytes) -> None:
        self.words = {"a": first, "b": second}
        self.go_on = threading.Event()

    def __call__(self, request: StepRequest, sink: LogSink, cancelled: threading.Event) -> StepResult:
        started = datetime.now(UTC)
        sink.write("stdout", self.words[request.step_name])
        if request.step_name == "a":
            assert self.go_on.wait(30)
        sink.write("stderr", b"end\n")
        return StepResult(
            outcome=Outcome.SUCCEEDED,
            started=started,
            ended=datetime.now(UTC),
            isolation=IsolationLevel.NOT_NEEDED,
        )

    def recorded(self, attempt_id: UUID) -> StepResult | None:
        return None


def page(yard: Yard, run: Run, after: str | None) -> runs.LogPage:
    with yard.sessions.tenant(yard.tenant_id) as conn:
        return runs.log_lines(conn, yard.objects, yard.tenant_id, run.id, after)


def test_a_reader_sees_what_a_running_step_has_said_and_goes_on_from_there(
    yard: Yard, database: DatabaseAddress, scratch: Path
) -> None:
    scratch.mkdir()
    steps = Talking(b"half\n", b"b says\n")
    with working(database, yard, steps, scratch, WorkerOptions(poll=0.05, watch=0.05)):
        run = yard.start(yard.publish(manifest(SPEC)))
        first = until(lambda: page(yard, run, None), lambda found: bool(found.parts))
        assert [(part.step, part.data) for part in first.parts] == [("a", b"half\n")]
        assert not first.ended
        assert page(yard, run, str(first.after)).parts == ()
        steps.go_on.set()
        assert yard.wait(run).state is RunState.SUCCEEDED
    rest = page(yard, run, str(first.after))
    assert [(part.step, part.data) for part in rest.parts] == [("a", b"end\n"), ("b", b"b says\nend\n")]
    assert rest.ended


def test_a_long_log_is_read_in_pages_without_a_gap(yard: Yard, database: DatabaseAddress, scratch: Path) -> None:
    scratch.mkdir()
    long = b"".join(b"%09d\n" % number for number in range(3 * CHUNK))
    steps = Talking(long, b"short\n")
    steps.go_on.set()
    with working(database, yard, steps, scratch, WorkerOptions(poll=0.05)):
        run = yard.wait(yard.start(yard.publish(manifest(SPEC))))
    assert yard.log(run).encode() == long + b"end\nshort\nend\n"
    middle = page(yard, run, f"0:{CHUNK + 7}")
    assert middle.parts[0].data.startswith(long[CHUNK + 7 : CHUNK + 100])


def test_a_damaged_chunk_is_noticed(yard: Yard, database: DatabaseAddress, scratch: Path, tmp_path: Path) -> None:
    scratch.mkdir()
    steps = Talking(b"one\n", b"two\n")
    steps.go_on.set()
    with working(database, yard, steps, scratch, WorkerOptions(poll=0.05)):
        run = yard.wait(yard.start(yard.publish(manifest(SPEC))))
    file = min((tmp_path / "objects" / "logs").rglob("*.zst"))
    file.chmod(0o600)
    file.write_bytes(b"\0" + file.read_bytes()[1:])
    with pytest.raises(AtomError) as caught:
        yard.log(run)
    assert caught.value.code.id == "RUN616"
