"""`atomctl dataset forget`: a run that no export may hold."""

from __future__ import annotations

from typing import Any

import click

from atomctl.cli.confirming import confirm, yes_option
from atomctl.cli.exporting import exporting
from atomctl.cli.identifiers import one_run, short
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say

_LOOK_BACK = 1000


@click.command("forget", epilog=examples('atomctl dataset forget 7f3a9c21 --reason "erasure request 2026-17" --yes'))
@click.argument("run")
@click.option("--reason", required=True, help="On whose request or which ground, without naming the person.")
@yes_option
@output_option
def forget(run: str, reason: str, yes: bool, output: Format) -> None:
    """Take a run out of every export from now on. It cannot be taken back.

    For security and admins. An export that has the run is made anew when its command is repeated. The run, its log and
    its audit entries stay; what is personal in the audit log is erased there.
    """
    from atomctl.dataset.forget import forget_run
    from atomctl.runs.service import list_runs

    with exporting() as (means, actor):
        with means.sessions.tenant(actor.tenant_id) as conn:
            known = [str(found.id) for found in list_runs(conn, actor.tenant_id, limit=_LOOK_BACK)]
        run_id = one_run(run, known)
        confirm(f"No export will ever hold run {short(str(run_id))} again. Go on?", yes)
        forgotten = forget_run(means, actor, run_id, reason)
    emit("dataset-tombstone", {"name": str(run_id), **forgotten.to_json()}, output, text=_line)
    if forgotten.handed_out:
        say(f"{forgotten.day} was exported before: repeat those exports, and tell whoever has copies of them")


def _line(tombstone: dict[str, Any]) -> str:
    before = " already" if tombstone["already"] else ""
    return f"forgotten{before}: run {short(tombstone['run'])}, ended {tombstone['day'] or 'not yet'}"
