"""`atomctl worker`: a worker."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from atomctl.cli.invocation import examples
from atomctl.cli.listening import listen
from atomctl.cli.stopping import set_by_signals
from atomctl.settings import load_settings


@click.command(
    "worker",
    epilog=examples(
        "ATOM_DATABASE_URL=postgresql://db.example/atom ATOM_DATABASE_CREDENTIALS=/etc/atom/db atomctl worker"
    ),
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file to touch at each heartbeat, and to remove at the end: for a probe.",
)
def command(ready_file: Path | None) -> int:
    """Run a worker against a PostgreSQL.

    On SIGTERM it hands over what it has not finished; steps that run get 30 s to end.
    """
    from atomctl.telemetry.logs import configure
    from atomctl.wiring import insight_loops, worker_parts
    from atomctl.worker import Worker, WorkerOptions

    settings = load_settings()
    configure(settings.log_level, json=not sys.stderr.isatty())
    listener = listen(settings.worker_metrics_host, settings.worker_metrics_port)
    parts = worker_parts(settings)
    worker = Worker(
        parts.address,
        parts.objects,
        parts.steps,
        parts.scratch,
        isolation=parts.isolation,
        follow=parts.follow,
        secrets=parts.secrets,
        jobs=parts.jobs,
        abilities=parts.abilities,
        background=(*parts.background, *insight_loops(settings, listener)),
        options=WorkerOptions(ready_file=ready_file),
    )
    return int(not worker.run(set_by_signals()))
