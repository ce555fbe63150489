"""The order in which a segment of any run asks for its steps.

Replay of an engine workflow matches recorded steps by position. Everything that decides an order here is therefore
either the package's plan, which never changes, or a value that an earlier durable step recorded; nothing reads a clock,
a row or a flag. **A changed order corrupts runs in flight in silence**: change `engine.VERSION` with it, and let
`tests/property/runs/test_replay.py`, which replays recorded histories, say whether the order changed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, assert_never

from atomctl.canonical import Json
from atomctl.runs.model import Phase


class Mode(enum.StrEnum):
    """What a segment found its run to need when it opened."""

    FORWARD = "forward"
    ROLLBACK = "rollback"
    NOTHING = "nothing"
    """The run ended, waits, or was refused at the door; opening the segment has recorded which."""


class Verdict(enum.StrEnum):
    """What one durable step says about how to go on."""

    NEXT = "next"
    AGAIN = "again"
    """The retry policy grants another try, after `pause` seconds."""
    LEAVE = "leave"
    """The segment ends here: the run waits for a person, or was cancelled."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Opening:
    """The steps this segment will ask for, in order."""

    mode: Mode
    steps: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As the engine stores it."""
        return {"mode": self.mode.value, "steps": list(self.steps)}


@dataclass(frozen=True, slots=True)
class Progress:
    """The answer of one try of one step."""

    verdict: Verdict
    pause: float = 0.0
    """Seconds until the next try; only with `AGAIN`."""

    def to_json(self) -> dict[str, Json]:
        """As the engine stores it."""
        return {"verdict": self.verdict.value, "pause": self.pause}


class Durable(Protocol):
    """What the engine gives a workflow: steps whose results survive the process."""

    def step(self, name: str, do: Callable[[], Json]) -> Json:
        """The result of `do`, from the record if this position has one."""


class SegmentWork(Protocol):
    """What a segment does; each method is called inside one durable step and may be called again after a crash."""

    def open(self) -> Opening:
        """Verifies that the run may go on, and says what it needs."""

    def attempt(self, phase: Phase, step: str, try_number: int) -> Progress:
        """Makes one try of a step, or returns what is recorded of it."""

    def begin_rollback(self) -> Opening:
        """Decides between ending as failed and rolling back; the compensations in their order."""

    def finish(self, phase: Phase) -> None:
        """Ends the run by what its steps have become."""

    def wake_at(self, pause: float) -> float:
        """The Unix time `pause` seconds from now."""

    def wait_until(self, wake_at: float) -> None:
        """Returns at that Unix time, or earlier when the run is being cancelled. Not inside a durable step."""


def interpret(durable: Durable, work: SegmentWork) -> None:
    """Drives one segment to its end: forward until something fails, then backward if the package can."""
    opening = _opening(durable.step("open", lambda: work.open().to_json()))
    match opening.mode:
        case Mode.NOTHING:
            return
        case Mode.FORWARD:
            _forward(durable, work, opening.steps)
        case Mode.ROLLBACK:
            _backward(durable, work)
        case _:
            assert_never(opening.mode)


def _forward(durable: Durable, work: SegmentWork, steps: Sequence[str]) -> None:
    for step in steps:
        match _drive(durable, work, Phase.FORWARD, step):
            case Verdict.LEAVE:
                return
            case Verdict.FAILED:
                _backward(durable, work)
                return
            case _:
                continue
    _finish(durable, work, Phase.FORWARD)


def _backward(durable: Durable, work: SegmentWork) -> None:
    opening = _opening(durable.step("begin-rollback", lambda: work.begin_rollback().to_json()))
    if opening.mode is Mode.NOTHING:
        return
    for step in opening.steps:
        if _drive(durable, work, Phase.ROLLBACK, step) is Verdict.LEAVE:
            return
    _finish(durable, work, Phase.ROLLBACK)


def _drive(durable: Durable, work: SegmentWork, phase: Phase, step: str) -> Verdict:
    try_number = 1
    while True:
        progress = _progress(durable.step(_name(phase, step, try_number), _attempt(work, phase, step, try_number)))
        if progress.verdict is not Verdict.AGAIN:
            return progress.verdict
        work.wait_until(_pause(durable, work, progress.pause))
        try_number += 1


def _pause(durable: Durable, work: SegmentWork, pause: float) -> float:
    wake_at = durable.step("pause", lambda: work.wake_at(pause))
    assert isinstance(wake_at, int | float)
    return float(wake_at)


def _attempt(work: SegmentWork, phase: Phase, step: str, try_number: int) -> Callable[[], Json]:
    return lambda: work.attempt(phase, step, try_number).to_json()


def _finish(durable: Durable, work: SegmentWork, phase: Phase) -> None:
    def finish() -> Json:
        work.finish(phase)
        return None

    durable.step("finish", finish)


def _name(phase: Phase, step: str, try_number: int) -> str:
    mark = "" if phase is Phase.FORWARD else "undo/"
    return f"{mark}{step}#{try_number}"


def _opening(value: Json) -> Opening:
    assert isinstance(value, dict)
    steps = value["steps"]
    assert isinstance(steps, list)
    return Opening(Mode(str(value["mode"])), tuple(str(step) for step in steps))


def _progress(value: Json) -> Progress:
    assert isinstance(value, dict)
    pause = value["pause"]
    assert isinstance(pause, int | float)
    return Progress(Verdict(str(value["verdict"])), float(pause))
