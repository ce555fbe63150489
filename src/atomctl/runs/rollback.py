"""What a rollback does, in which order, and what it leaves: pure.

A compensation runs if the step it undoes was started, in the reverse order in which those steps ended; one that names
no step runs in every rollback, after the others. Among compensations `needs` is honoured: a failed one stops those
that need it, and the rest goes on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from atomctl.runs.model import Step, StepState
from atomctl.runs.plan import PlannedStep, ordered
from atomctl.runs.states import STARTED_STEP

_LAST = 1 << 30


def due(compensations: Sequence[PlannedStep], forward: Mapping[str, Step]) -> tuple[str, ...]:
    """The compensations of this rollback in the order they run.

    A step that was started and has no recorded end counts as the last to end: it is undone first.
    """

    def undoes(handler: PlannedStep) -> int:
        if handler.compensates is None:
            return 0
        return forward[handler.compensates].completion or _LAST

    wanted = [h for h in compensations if h.compensates is None or forward[h.compensates].state in STARTED_STEP]
    return tuple(h.name for h in ordered(sorted(wanted, key=undoes, reverse=True)))


def begun(compensations: Iterable[Step]) -> bool:
    """Whether a compensation was ever started: from then on the run goes backward, whoever lets it go on."""
    return any(step.attempts > 0 for step in compensations)


def not_undone(compensations: Iterable[Step]) -> tuple[str, ...]:
    """The compensations that a rollback which was cut short leaves without a good end."""
    ended_well = {StepState.SUCCEEDED, StepState.SKIPPED}
    return tuple(step.name for step in compensations if step.state not in ended_well)


def unmet(needs: Sequence[str], compensations: Mapping[str, Step]) -> tuple[str, ...]:
    """The compensations that are needed and did not succeed; with any, the one that needs them does not run.

    One that had nothing to undo (its step was never started) is not missed.
    """
    return tuple(name for name in needs if not _settled_well(compensations[name]))


def left_over(
    compensations: Sequence[PlannedStep], forward: Iterable[Step], rolled: Mapping[str, Step]
) -> tuple[str, ...]:
    """What is still there after a rollback: started steps that nothing undid, and compensations that did not run well.

    Empty means that everything the package knows how to undo is undone. A step for which the package has no
    compensation is not in the list: its author says that there is nothing to undo.
    """
    names = []
    undone_by: dict[str, list[str]] = {}
    for handler in compensations:
        if handler.compensates is not None:
            undone_by.setdefault(handler.compensates, []).append(handler.name)
        elif rolled[handler.name].state is not StepState.SUCCEEDED and not _skipped_by_condition(rolled[handler.name]):
            names.append(handler.name)
    for step in forward:
        undo = [rolled[name] for name in undone_by.get(step.name, ())]
        touched = step.state in STARTED_STEP or step.state is StepState.COMPENSATION_FAILED
        if touched and any(not _settled_well(compensation) for compensation in undo):
            names.append(step.name)
    return tuple(names)


def _settled_well(compensation: Step) -> bool:
    return compensation.state is StepState.SUCCEEDED or _skipped_by_condition(compensation)


def _skipped_by_condition(compensation: Step) -> bool:
    return compensation.state is StepState.SKIPPED and compensation.error is None
