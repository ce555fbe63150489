"""`atomctl server`: the API server."""

from __future__ import annotations

import signal
import socket
import sys

import click

from atomctl.cli.invocation import examples
from atomctl.cli.listening import listen, url
from atomctl.cli.printing import say
from atomctl.settings import load_settings


@click.command(
    "server",
    epilog=examples(
        "export ATOM_DATABASE_URL=postgresql://db.example/atom ATOM_DATABASE_CREDENTIALS=/etc/atom/db",
        "atomctl server --host 0.0.0.0",
    ),
)
@click.option("--host", help="The address to listen on (default: 127.0.0.1).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port to listen on (default: 8460).")
@click.option("--fd", type=int, help="A listening socket that the starting process hands over instead.")
def command(host: str | None, port: int | None, fd: int | None) -> None:
    """Run the API server against a PostgreSQL."""
    import uvicorn

    from atomctl.server.app import create_app
    from atomctl.server.serving import ApiServer
    from atomctl.telemetry.logs import configure
    from atomctl.telemetry.targets import announced
    from atomctl.wiring import build_services

    settings = load_settings({"host": host, "port": port})
    configure(settings.log_level, json=not sys.stderr.isatty())
    listener = socket.socket(fileno=fd) if fd is not None else listen(settings.host, settings.port)
    services = build_services(settings)
    try:
        say(f"listening on {url(listener)}")
        config = uvicorn.Config(
            create_app(services), log_config=None, server_header=False, access_log=False, timeout_graceful_shutdown=10
        )
        # uvicorn ends by raising the signal again, and the default would leave no time to take the address back.
        signal.signal(signal.SIGTERM, lambda *_: None)
        with announced(settings.home, "server", url(listener).removeprefix("http://")):
            ApiServer(config).run(sockets=[listener])
    finally:
        services.close()
