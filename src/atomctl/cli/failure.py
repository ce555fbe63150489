"""How a failure is told: `error[CODE]: why`, `hint:`, `docs:` on standard error, or the same as JSON."""

from __future__ import annotations

import json
import os
import sys
import traceback

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, Invocation
from atomctl.errors import AtomError, ExitCode


def report(error: BaseException, invocation: Invocation) -> int:
    """Prints `error` in the call's output format and returns the exit code it stands for."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else int(ExitCode.NO)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.exceptions.NoArgsIsHelpError):  # a bare `atomctl` or `atomctl runs`
        click.echo(error.message)
        return int(ExitCode.OK)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        click.echo("interrupted", err=True)
        return int(ExitCode.INTERRUPTED)
    known = _as_atom_error(error)
    if invocation.format in {Format.JSON, Format.JSONL}:
        click.echo(json.dumps({"schema": "atom.error/v1", **known.to_json()}), err=True)
    else:
        click.echo(_text(known), err=True)
    if known.code is codes.INTERNAL and os.environ.get("ATOM_DEBUG"):
        traceback.print_exception(error)
    return int(known.code.exit)


def _as_atom_error(error: BaseException) -> AtomError:
    if isinstance(error, AtomError):
        return error
    if isinstance(error, click.ClickException):
        message, _, hint = error.format_message().partition("\nhint: ")
        ctx = getattr(error, "ctx", None)
        return AtomError(codes.USAGE, message, hint=hint or (f"{ctx.command_path} --help" if ctx else None))
    if isinstance(error, OSError):
        return AtomError(codes.FILE, f"{error.filename or 'input or output'}: {error.strerror or error}")
    return _outage(error) or AtomError(codes.INTERNAL, f"{type(error).__name__}: {error}")


def _outage(error: BaseException) -> AtomError | None:
    """What it means when the database goes away under a command that talks to it itself; others never load psycopg."""
    if "psycopg" not in sys.modules:
        return None
    import psycopg

    from atomctl.db.connections import unreachable

    return unreachable(error) if isinstance(error, psycopg.OperationalError) else None


def _text(error: AtomError) -> str:
    """The four fields on three lines; the label is bold red where the terminal shows it."""
    label = f"error[{error.code.id}]"
    if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
        label = click.style(label, fg="red", bold=True)
    said = error.why if error.why == error.code.title else f"{error.code.title}: {error.why}"
    return f"{label}: {said}\nhint: {error.hint}\ndocs: {error.code.docs}"
