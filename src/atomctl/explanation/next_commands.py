"""What to type next. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from atomctl.explanation.model import NextCommand
from atomctl.explanation.waits import Standing, unknown_step
from atomctl.runs import codes
from atomctl.runs.model import RunState


def next_commands(standing: Standing) -> tuple[NextCommand, ...]:
    """What helps on from where the run is, the most likely first."""
    return tuple(_commands(standing))


def _commands(standing: Standing) -> Iterator[NextCommand]:  # noqa: PLR0912 - a case for each state
    run = standing.run
    match run.state:
        case RunState.RECEIVED | RunState.PLANNING:
            yield _wait(standing)
        case RunState.BLOCKED:
            yield from _blocked(standing)
        case RunState.AWAITING_APPROVAL:
            yield NextCommand(f"atomctl approve {run.id}", "as somebody else than who asked for it")
        case RunState.REJECTED | RunState.EXPIRED:
            yield _rerun(standing, "asks again")
        case RunState.QUEUED:
            if standing.workers == 0:
                yield NextCommand("atomctl doctor", "shows what the instance lacks")
            yield _wait(standing)
        case RunState.RUNNING | RunState.CANCELLING | RunState.ROLLING_BACK:
            yield NextCommand(f"atomctl logs {run.id} --follow", "shows what its steps say")
        case RunState.PAUSED:
            yield NextCommand(f"atomctl runs cancel {run.id}", "ends it")
        case RunState.NEEDS_DECISION:
            yield from _decide(standing)
        case RunState.SUCCEEDED:
            yield from _succeeded(standing)
        case RunState.FAILED | RunState.TIMED_OUT:
            yield from _logs(standing)
            yield NextCommand(f"atomctl runs resume {run.id}", "goes on; what ended well is not done again")
        case RunState.CANCELLED:
            if run.started_at is not None:
                yield NextCommand(f"atomctl runs resume {run.id}", "goes on; what ended well is not done again")
            yield _rerun(standing, "asks for the same again")
        case RunState.ROLLED_BACK | RunState.ROLLBACK_INCOMPLETE:
            yield from _logs(standing)
            yield _rerun(standing, "asks for the same again, once the cause is gone")
        case _:
            assert_never(run.state)


def _blocked(standing: Standing) -> Iterator[NextCommand]:
    run = standing.run
    package = f"{run.workflow}@{run.version}"
    yield NextCommand(f"atomctl packages show {package}", "shows the findings and the decision")
    if run.code == codes.BLOCKED.id:
        yield NextCommand(f'atomctl packages override {package} --reason "..."', "asks two people to lift the block")
    else:
        yield _rerun(standing, "asks again, once the cause is gone")


def _decide(standing: Standing) -> Iterator[NextCommand]:
    step = unknown_step(standing) or "STEP"
    yield from _logs(standing)
    resolve = f"atomctl runs resolve {standing.run.id} {step}"
    yield NextCommand(f'{resolve} done --reason "..."', "it took effect: goes on behind it")
    yield NextCommand(f'{resolve} rerun --reason "..."', "it did not: tries it again")
    yield NextCommand(f'{resolve} rollback --reason "..."', "undoes what was done")


def _succeeded(standing: Standing) -> Iterator[NextCommand]:
    run = standing.run
    if run.dry_run:
        yield NextCommand(f"atomctl run {run.workflow}@{run.version}", "with the same parameters: runs it")
    else:
        yield NextCommand(f"atomctl audit verify --run {run.id}", "proves what it did")


def _logs(standing: Standing) -> Iterator[NextCommand]:
    for tried in standing.failing[:1]:
        if tried.attempt is not None:
            yield NextCommand(f"atomctl logs {standing.run.id} --step {tried.step.name}", "shows the whole log")


def _rerun(standing: Standing, why: str) -> NextCommand:
    return NextCommand(f"atomctl runs rerun {standing.run.id}", why)


def _wait(standing: Standing) -> NextCommand:
    return NextCommand(f"atomctl status {standing.run.id} --wait", "waits until it has ended")
