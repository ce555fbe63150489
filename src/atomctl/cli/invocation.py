"""What one call of the command line knows about itself: chosen context, chosen output format."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


class Format(enum.StrEnum):
    """How data is printed: for a person, as one JSON document, as one document a line, or as bare names."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    NAME = "name"


class Invocation:
    """The object behind `click.Context.obj`, shared by all commands of one call."""

    def __init__(self) -> None:
        self.context_name: str | None = None
        self.format = Format.TEXT


def examples(*lines: str) -> str:
    """The end of a command's help: lines to paste."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


def current() -> Invocation:
    """The call that is under way."""
    found = click.get_current_context().find_object(Invocation)
    assert found is not None, "every command hangs below the root, which sets it"
    return found


def _remember(ctx: click.Context, _param: click.Parameter, value: str) -> Format:
    chosen = Format(value)
    found = ctx.find_object(Invocation)
    if found is not None:
        found.format = chosen
    return chosen


def output_option(function: F) -> F:
    """Adds `-o text|json|jsonl|name` to a command; it arrives as the keyword `output`."""
    return click.option(
        "-o",
        "--output",
        type=click.Choice([f.value for f in Format]),
        default=Format.TEXT.value,
        show_default=True,
        callback=_remember,
        is_eager=True,
        help="The form of what is printed.",
    )(function)
