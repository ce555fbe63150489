"""The entry point: finds the verb's file, runs it, and turns what went wrong into words and an exit code."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

from atomctl import __version__
from atomctl.cli.invocation import Invocation
from atomctl.cli.verbs import SECTIONS, VERBS

_COLLECT_AFTER = 50_000
"""Allocations between two garbage collections: importing alone would cause dozens, and they free nothing."""

COMPLETE_VARIABLE = "_ATOMCTL_COMPLETE"
"""What a shell that wants words completed sets, as click's scripts do."""

EPILOG = """\b
Examples:
  atomctl demo                         the main job, in under a minute
  atomctl up                           an instance of your own
  atomctl init restart-web             a package to start from
  atomctl explain TRU203               what an error code means
"""


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called, not when help is printed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All verbs, in the order of the help."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command; each module below `cli` calls its own `command`."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        command = import_module(f"atomctl.cli.{verb.module}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, and for an unknown verb the nearest known one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], VERBS, n=1)
            if not near:
                raise
            raise click.UsageError(f"{error.message}\nhint: did you mean 'atomctl {near[0]}'?", ctx) from error

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs that begin with `incomplete`, from the table; click's own way would import every one of them."""
        from click.shell_completion import CompletionItem

        if incomplete.startswith("-"):
            return click.Command.shell_complete(self, ctx, incomplete)
        return [
            CompletionItem(verb.name, help=verb.help) for verb in VERBS.values() if verb.name.startswith(incomplete)
        ]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs by section, from the table alone."""
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(verb.name, verb.help) for verb in verbs])


@click.command(
    cls=LazyGroup,
    name="atomctl",
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, "-V", "--version", message="atomctl %(version)s")
@click.option("--context", metavar="NAME", help="The instance and identity to use (default: the current one).")
@click.pass_context
def root(ctx: click.Context, context: str | None) -> None:
    """Run operational workflows that are signed, decided, approved, durable and provable."""
    ctx.obj.context_name = context or os.environ.get("ATOM_CONTEXT") or None


def run(argv: Sequence[str] | None = None) -> int:
    """Runs one command line and returns its exit code; never raises and never prints a traceback.

    `ATOM_DEBUG=1` shows the traceback of an internal error.

    Args:
        argv: what follows the program's name; None = this process is the command, and `sys.argv` holds it.
    """
    if argv is not None:
        return _run(argv)
    gc.set_threshold(_COLLECT_AFTER)
    try:
        if asked := os.environ.get(COMPLETE_VARIABLE):
            from click.shell_completion import shell_complete

            return shell_complete(root, {}, "atomctl", COMPLETE_VARIABLE, asked)
        return _run(sys.argv[1:])
    finally:
        gc.freeze()  # the interpreter's last collections find nothing to look at: a fifth of a short call's time


def _run(argv: Sequence[str]) -> int:
    # Not click's own `main`: it ends the process itself when a reader leaves, and calls that a failure.
    invocation = Invocation()
    try:
        with root.make_context("atomctl", list(argv), obj=invocation) as ctx:
            result = root.invoke(ctx)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nobody is left to tell, and flushing at exit would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BaseException as error:  # noqa: BLE001  # the boundary: whatever it is, it gets words and an exit code
        from atomctl.cli.failure import report

        return report(error, invocation)
    return result if isinstance(result, int) else 0
