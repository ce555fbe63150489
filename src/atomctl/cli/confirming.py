"""Before something changes: a look with `--dry-run`; before what cannot be taken back: a question, or `--yes`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from atomctl.cli import codes
from atomctl.errors import AtomError

F = TypeVar("F", bound=Callable[..., Any])


def yes_option(function: F) -> F:
    """Adds `--yes` to a command; it arrives as the keyword `yes`."""
    return click.option("-y", "--yes", is_flag=True, help="Do not ask; needed where there is no terminal.")(function)


def dry_run_option(function: F) -> F:
    """Adds `--dry-run` to a command; it arrives as the keyword `dry_run`."""
    return click.option("--dry-run", is_flag=True, help="Show what would be changed, and stop.")(function)


def confirm(question: str, yes: bool) -> None:
    """Returns when the person said yes, by `--yes` or at the terminal.

    Raises:
        AtomError: CLI007 they said no, or there is no terminal to ask on.
    """
    if yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise AtomError(codes.NOT_CONFIRMED, f"{question} There is no terminal to ask on.")
    if not click.confirm(question, err=True):
        raise AtomError(codes.NOT_CONFIRMED, "the answer was no; nothing was changed")
