"""`atomctl up`: a complete instance on this machine."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from atomctl.cli.invocation import examples
from atomctl.cli.printing import say
from atomctl.settings import load_settings


@click.command(
    "up",
    epilog=examples(
        "atomctl up                          in the default home, on 127.0.0.1:8460",
        "atomctl up --home ./try --port 0    a second one beside it, on a free port",
    ),
)
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where its state lives.")
@click.option("--host", help="The address to listen on (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes a free one (default: 8460).")
def command(home: Path | None, host: str | None, port: int | None) -> None:
    """Start a complete instance on this machine.

    PostgreSQL, the API server and a worker run until Ctrl-C. The state stays in the home and is there the next time.
    """
    from atomctl.cli.local_instance import LocalInstance

    flags = {"home": home.absolute() if home else None, "host": host, "port": port}
    settings = load_settings(flags)
    with LocalInstance(settings, say) as instance:
        me = getpass.getuser()
        prefix = f"ATOM_HOME={settings.home} " if settings.origin("home") != "default" else ""
        say(f"ATOM is up at {instance.api_url}, with its state in {settings.home}. Ctrl-C stops it.")
        say(f"You are {me}. A second person, for approvals: {prefix}atomctl auth login --as bob --role approver")
        say(f"Next, in another terminal: {prefix}atomctl init restart-web")
        instance.watch()
        say("stopping")
