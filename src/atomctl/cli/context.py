"""`atomctl context`: choose between instances and identities."""

from __future__ import annotations

from pathlib import Path

import click

from atomctl.cli import codes, contexts
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.paths import EXISTING_FILE
from atomctl.cli.printing import emit, emit_many, say
from atomctl.errors import AtomError
from atomctl.settings import load_settings


@click.group("context")
def command() -> None:
    """Choose between instances and identities."""


@command.command("list", epilog=examples("atomctl context list"))
@output_option
def list_contexts(output: Format) -> None:
    """List the contexts; a star marks the one in use."""
    home = load_settings().home
    used = contexts.current_name(home)
    emit_many(
        "context",
        ({"name": name, "current": name == used} for name in contexts.names(home)),
        output,
        text=lambda c: f"{'*' if c['current'] else ' '} {c['name']}",
        empty="There is no context yet.\nNext: atomctl up",
    )


@command.command("use", epilog=examples("atomctl context use bob"))
@click.argument("name")
@output_option
def use(name: str, output: Format) -> None:
    """Use a context from now on."""
    home = load_settings().home
    file = contexts.find(home, name)
    if file is None:
        known = ", ".join(contexts.names(home)) or "none"
        raise AtomError(codes.NO_CONTEXT, f"no context {name!r}; there are: {known}")
    contexts.use(file.parent, name)
    emit("context", {"name": name, "current": True}, output, text=lambda c: c["name"])
    say(f"Now using {name}.")


@command.command(
    "add", epilog=examples("atomctl context add prod --api-url https://atom.example --token-file ~/.atom-token")
)
@click.argument("name")
@click.option("--api-url", required=True, help="Where the server listens.")
@click.option(
    "--token-file",
    type=EXISTING_FILE,
    help="A file that holds the access token; it is copied, mode 0600.",
)
@output_option
def add(name: str, api_url: str, token_file: Path | None, output: Format) -> None:
    """Add or replace the context of a remote instance."""
    folder = contexts.folders(load_settings().home)[1]
    token = token_file.read_text(encoding="ascii").strip() if token_file else None
    contexts.save(folder, name, api_url=api_url, token=token)
    emit("context", {"name": name, "current": False}, output, text=lambda c: c["name"])
    say(f"Next: atomctl context use {name}")
