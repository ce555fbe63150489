"""The order of the interpreter's steps: replay after a crash at any point asks for the same steps in the same order.

`HISTORIES` are recorded: what the interpreter asked the engine for, when this version of the step order was made. A
change here is a change of `engine.VERSION`: engine workflows in flight match what they find by position.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.canonical import Json
from atomctl.runs import engine
from atomctl.runs.interpreter import Mode, Opening, Progress, Verdict, interpret
from atomctl.runs.model import Phase
from atomctl.runs.segments import LetGo

NEXT, FAILED, LEAVE = Progress(Verdict.NEXT), Progress(Verdict.FAILED), Progress(Verdict.LEAVE)
AGAIN = Progress(Verdict.AGAIN, 0.5)


@dataclass
class Journal:
    """An engine that records by position, refuses another name at a known position, and may crash."""

    entries: list[tuple[str, Json]] = field(default_factory=list)
    crash_before: int | None = None
    lose_record_at: int | None = None
    position: int = 0

    def step(self, name: str, do: Callable[[], Json]) -> Json:
        here, self.position = self.position, self.position + 1
        if here < len(self.entries):
            recorded, value = self.entries[here]
            assert recorded == name, f"position {here} was {recorded}, replay asks for {name}"
            return value
        if here == self.crash_before:
            raise LetGo
        value = do()
        if here == self.lose_record_at:
            raise LetGo
        self.entries.append((name, value))
        return value


@dataclass
class Script:
    """A run whose steps answer as written: per step and try."""

    answers: dict[str, list[Progress]]
    undo: tuple[str, ...] = ()
    mode: Mode = Mode.FORWARD
    finished: list[Phase] = field(default_factory=list)

    def open(self) -> Opening:
        return Opening(self.mode, tuple(name for name in self.answers if name not in self.undo))

    def attempt(self, phase: Phase, step: str, try_number: int) -> Progress:
        answers = self.answers[step]
        return answers[min(try_number, len(answers)) - 1]

    def begin_rollback(self) -> Opening:
        return Opening(Mode.ROLLBACK, self.undo) if self.undo else Opening(Mode.NOTHING)

    def finish(self, phase: Phase) -> None:
        self.finished.append(phase)

    def wake_at(self, pause: float) -> float:
        return 1_000_000.0 + pause

    def wait_until(self, wake_at: float) -> None:
        assert wake_at >= 1_000_000.0


HISTORIES: dict[str, tuple[Script, list[str]]] = {
    "straight": (Script({"a": [NEXT], "b": [NEXT]}), ["open", "a#1", "b#1", "finish"]),
    "retried": (Script({"a": [AGAIN, NEXT]}), ["open", "a#1", "pause", "a#2", "finish"]),
    "waits": (Script({"a": [NEXT], "ask": [LEAVE], "b": [NEXT]}), ["open", "a#1", "ask#1"]),
    "failed": (Script({"a": [FAILED], "b": [NEXT]}), ["open", "a#1", "begin-rollback"]),
    "rolled back": (
        Script({"a": [NEXT], "b": [FAILED], "u": [AGAIN, FAILED], "v": [NEXT]}, undo=("u", "v")),
        ["open", "a#1", "b#1", "begin-rollback", "undo/u#1", "pause", "undo/u#2", "undo/v#1", "finish"],
    ),
    "rollback goes on": (
        Script({"a": [NEXT], "u": [NEXT]}, undo=("u",), mode=Mode.ROLLBACK),
        ["open", "begin-rollback", "undo/u#1", "finish"],
    ),
    "rollback cancelled": (
        Script({"a": [FAILED], "u": [LEAVE], "v": [NEXT]}, undo=("u", "v")),
        ["open", "a#1", "begin-rollback", "undo/u#1"],
    ),
    "refused at the door": (Script({"a": [NEXT]}, mode=Mode.NOTHING), ["open"]),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_the_interpreter_asks_in_the_order_that_was_recorded(name: str) -> None:
    script, history = HISTORIES[name]
    journal = Journal()
    interpret(journal, script)
    assert [entry for entry, _ in journal.entries] == history, "a changed order needs a new engine.VERSION"
    assert engine.VERSION == "segments-1"


progress = st.sampled_from([NEXT, NEXT, NEXT, AGAIN, FAILED, LEAVE])
names = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


@st.composite
def scripts(draw: st.DrawFn) -> Script:
    order = draw(names)
    undo = tuple(name for name in order if draw(st.booleans()))
    # A step that is granted another try every time would never end; the last answer is final.
    answers = {
        name: [*draw(st.lists(progress, max_size=3)), draw(st.sampled_from([NEXT, FAILED, LEAVE]))] for name in order
    }
    return Script(answers, undo, draw(st.sampled_from([Mode.FORWARD, Mode.ROLLBACK])))


def run_through(script: Script, journal: Journal) -> bool:
    journal.position = 0
    try:
        interpret(journal, script)
    except LetGo:
        return False
    return True


@settings(max_examples=100, deadline=None)
@given(scripts(), st.data())
def test_a_crash_anywhere_and_a_replay_ask_for_what_an_undisturbed_run_asks_for(
    script: Script, data: st.DataObject
) -> None:
    whole = Journal()
    interpret(whole, script)
    point = data.draw(st.integers(0, len(whole.entries)))
    crashed = Journal(crash_before=point) if data.draw(st.booleans()) else Journal(lose_record_at=point)
    run_through(script, crashed)
    crashed.crash_before = crashed.lose_record_at = None
    assert run_through(script, crashed)
    assert crashed.entries == whole.entries
