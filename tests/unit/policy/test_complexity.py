from __future__ import annotations

from typing import Any

from atomctl.policy.complexity import Complexity, complexity
from atomctl.wpk.model import Handler, HandlerType, Manifest, Metadata


def handler(name: str, type_: HandlerType = HandlerType.SHELL, **fields: Any) -> Handler:
    return Handler(name=name, type=type_, config={}, **fields)


def workflow(*handlers: Handler) -> Manifest:
    return Manifest(metadata=Metadata(name="web", version="1.0.0"), handlers=handlers)


def chain(length: int) -> list[Handler]:
    return [handler(f"step-{n}", needs=(f"step-{n - 1}",) if n else ()) for n in range(length)]


def test_a_few_steps_of_one_type_in_a_row_are_simple() -> None:
    assert complexity(workflow(*chain(3))) is Complexity.SIMPLE


def test_more_steps_types_or_conditions_are_moderate() -> None:
    assert complexity(workflow(*chain(4))) is Complexity.MODERATE
    mixed = [handler("a"), handler("b", HandlerType.API, needs=("a",))]
    assert complexity(workflow(*mixed)) is Complexity.MODERATE
    assert complexity(workflow(handler("a", when="params.force"))) is Complexity.MODERATE


def test_many_steps_branches_or_packages_inside_are_complex() -> None:
    assert complexity(workflow(*chain(11))) is Complexity.COMPLEX
    fork = [handler("a"), handler("b", needs=("a",)), handler("c", needs=("a",))]
    assert complexity(workflow(*fork)) is Complexity.COMPLEX
    assert complexity(workflow(handler("a"), handler("b"))) is Complexity.COMPLEX
    assert complexity(workflow(handler("a", HandlerType.PACKAGE))) is Complexity.COMPLEX
