"""`atomctl up`: a complete instance on this machine."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from atomctl.cli.invocation import examples
from atomctl.cli.printing import say
from atomctl.cli.progress import busy
from atomctl.settings import Settings, load_settings


@click.command(
    "up",
    epilog=examples(
        "atomctl up                          in the default home, on 127.0.0.1:8460, until Ctrl-C",
        "atomctl up --detach                 the same in the background; atomctl down stops it",
        "atomctl up --home ./try --port 0    a second one beside it, on a free port",
    ),
)
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="Where its state lives.")
@click.option("--host", help="The address to listen on (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes a free one (default: 8460).")
@click.option("--detach", is_flag=True, help="Return once it is ready, and leave it running.")
def command(home: Path | None, host: str | None, port: int | None, detach: bool) -> None:
    """Start a complete instance on this machine.

    PostgreSQL, the API server and a worker run until they are stopped. The state stays in the home.
    """
    flags = {"home": home.absolute() if home else None, "host": host, "port": port}
    settings = load_settings(flags)
    if detach:
        from atomctl.cli.background import start_in_background

        with busy("starting PostgreSQL, the server and a worker"):
            api_url = start_in_background(settings)
        _greet(settings, api_url)
        say("It runs in the background; stop it with: atomctl down")
        return
    from atomctl.cli.local_instance import LocalInstance

    with LocalInstance(settings, say) as instance:
        instance.expect_end()
        _greet(settings, instance.api_url)
        say("Ctrl-C stops it.")
        instance.watch()
        say("stopping")


def _greet(settings: Settings, api_url: str) -> None:
    prefix = f"ATOM_HOME={settings.home} " if settings.origin("home").startswith("flag") else ""
    say(f"ATOM is up at {api_url}, with its state in {settings.home}.")
    say(f"You are {getpass.getuser()}. A second person: {prefix}atomctl auth login --as bob --role approver")
    say(f"Next: {prefix}atomctl init restart-web")
