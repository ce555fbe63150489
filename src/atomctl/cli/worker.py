"""`atomctl worker`: a worker."""

from __future__ import annotations

import signal
import sys
import threading

import click

from atomctl.cli.invocation import examples
from atomctl.settings import load_settings


@click.command(
    "worker",
    epilog=examples(
        "ATOM_DATABASE_URL=postgresql://db.example/atom ATOM_DATABASE_CREDENTIALS=/etc/atom/db atomctl worker"
    ),
)
def command() -> None:
    """Run a worker against a PostgreSQL; on SIGTERM it hands over what it has not finished."""
    from atomctl.telemetry.logs import configure
    from atomctl.worker import Worker

    settings = load_settings()
    configure(settings.log_level, json=not sys.stderr.isatty())
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    Worker(settings).run(stop)
