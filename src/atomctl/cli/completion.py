"""`atomctl completion`: what makes a shell complete the command's words."""

from __future__ import annotations

import click

from atomctl.cli.invocation import examples

SHELLS = ("bash", "zsh", "fish")


@click.command(
    "completion",
    epilog=examples(
        'eval "$(atomctl completion bash)"                                  for this shell',
        "atomctl completion bash > /etc/bash_completion.d/atomctl           for every shell",
        "atomctl completion zsh > ~/.zfunc/_atomctl                         a folder of your $fpath",
        "atomctl completion fish > ~/.config/fish/completions/atomctl.fish",
    ),
)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print a shell's completion script."""
    from click.shell_completion import get_completion_class

    from atomctl.cli.main import COMPLETE_VARIABLE

    kind = get_completion_class(shell)
    assert kind is not None, "click completes each of SHELLS"
    click.echo(kind(ctx.find_root().command, {}, "atomctl", COMPLETE_VARIABLE).source())
