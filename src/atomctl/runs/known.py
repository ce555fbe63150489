"""Expressions of a run: what can be evaluated before it starts, and the same when a step begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.runs import codes
from atomctl.wpk.expressions import Condition, Reference, render, template_references


def condition_now(text: str | None, activation: Mapping[str, Json]) -> bool | None:
    """What the condition says already; None if it reads more than parameters.

    Raises:
        AtomError: RUN609 it reads parameters alone, and cannot be evaluated with these.
    """
    if text is not None and not _parameters_alone(Condition.compile(text).reads):
        return None
    return holds(text, activation)


def holds(text: str | None, activation: Mapping[str, Json]) -> bool:
    """Whether the condition holds; no condition always does.

    Raises:
        AtomError: RUN609 it cannot be evaluated with these values.
    """
    if text is None:
        return True
    try:
        return Condition.compile(text).evaluate(activation)
    except AtomError as error:
        raise AtomError(codes.CONDITION, f"when: {error.why}") from error


def render_known(value: Json, activation: Mapping[str, Json]) -> Json:
    """`value` with those texts filled in whose templates read parameters alone; the others stay as they are written.

    For people to read: what a step gets is rendered once, from the manifest, when it begins.

    Raises:
        AtomError: RUN609 such a template cannot be evaluated.
    """
    if isinstance(value, dict):
        return {name: render_known(item, activation) for name, item in value.items()}
    if isinstance(value, list):
        return [render_known(item, activation) for item in value]
    if isinstance(value, str) and _parameters_alone(template_references(value)):
        return render_all(value, activation)
    return value


def render_all(value: Json, activation: Mapping[str, Json]) -> Json:
    """`value` with every template filled in.

    Raises:
        AtomError: RUN609 a template cannot be evaluated.
    """
    try:
        return render(value, activation)
    except AtomError as error:
        raise AtomError(codes.CONDITION, error.why) from error


def _parameters_alone(reads: Iterable[Reference]) -> bool:
    return all(reference.root == "params" for reference in reads)
