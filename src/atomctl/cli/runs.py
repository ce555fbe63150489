"""`atomctl runs`: list runs, explain one, and change its course."""

from __future__ import annotations

import click

from atomctl.cli import answer_page, explanation_page, run_page
from atomctl.cli.connection import open_client
from atomctl.cli.identifiers import run_id, short
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, emit_many, say


@click.group("runs")
def command() -> None:
    """List, explain, cancel, resume and rerun runs."""


@command.command(
    "list",
    epilog=examples(
        "atomctl runs list --state AWAITING_APPROVAL",
        "atomctl runs list --workflow restart-web -o json",
    ),
)
@click.option("--state", help="Only runs in this state, such as RUNNING.")
@click.option("--workflow", help="Only runs of this workflow.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most this many.")
@output_option
def list_runs(state: str | None, workflow: str | None, limit: int, output: Format) -> None:
    """List runs, newest first."""
    with open_client() as client:
        found = client.pages("runs", state=state.upper() if state else None, workflow=workflow, limit=limit)
        emit_many(
            "run",
            ({"name": run["id"], **run} for run in found),
            output,
            text=run_page.line,
            empty="No run matches.\nNext: atomctl run NAME",
        )


@command.command("show", epilog=examples("atomctl runs show 7f3a9c21 -o json"))
@click.argument("run")
@output_option
def show(run: str, output: Format) -> None:
    """Show one run, as `atomctl status`."""
    with open_client() as client:
        found = client.get(f"runs/{run_id(client, run)}")
        emit("run", {"name": found["id"], **found}, output, text=run_page.page)


@command.command("explain", epilog=examples("atomctl runs explain 7f3a9c21", "atomctl runs explain 7f3a9c21 -o json"))
@click.argument("run")
@output_option
def explain(run: str, output: Format) -> None:
    """Explain what happened to a run, and what to do next."""
    with open_client() as client:
        found = client.get(f"runs/{run_id(client, run)}/explanation")
        emit("explanation", {"name": found["run_id"], **found}, output, text=explanation_page.page)
        say("\n" + explanation_page.next_lines(found))


@command.command("similar", epilog=examples("atomctl runs similar 7f3a9c21", "atomctl runs similar 7f3a -o json"))
@click.argument("run")
@click.option("--limit", type=click.IntRange(1, 20), default=5, show_default=True, help="At most this many.")
@output_option
def similar(run: str, limit: int, output: Format) -> None:
    """Find past failures like this one, and what fixed them."""
    with open_client() as client:
        found = client.get(f"runs/{run_id(client, run)}/similar", limit=limit)
    emit("similar-runs", {"name": found["run_id"], **found}, output, text=answer_page.similar)
    if lacking := answer_page.lacking(found):
        say(lacking)


def _change(run: str, action: str, body: dict[str, object], output: Format) -> None:
    """Posts to one of a run's actions and prints the run that results."""
    with open_client() as client:
        after = client.post(f"runs/{run_id(client, run)}/{action}", body)
        emit("run", {"name": after["id"], **after}, output, text=run_page.page)
        say(f"Next: atomctl status {short(after['id'])} --wait")


@command.command("cancel", epilog=examples('atomctl runs cancel 7f3a9c21 --reason "wrong cluster"'))
@click.argument("run")
@click.option("--reason", help="Why, for the record.")
@output_option
def cancel(run: str, reason: str | None, output: Format) -> None:
    """Cancel a run: its step is asked to end, then killed."""
    _change(run, "cancel", {"reason": reason}, output)


@command.command(
    "resolve", epilog=examples('atomctl runs resolve 7f3a9c21 migrate done --reason "seen in the database"')
)
@click.argument("run")
@click.argument("step")
@click.argument("action", type=click.Choice(["done", "rerun", "rollback"]))
@click.option("--reason", required=True, help="How you know, for the record.")
@output_option
def resolve(run: str, step: str, action: str, reason: str, output: Format) -> None:
    """Decide about a step whose outcome is unknown."""
    _change(run, "resolve", {"step": step, "action": action, "reason": reason}, output)


@command.command("resume", epilog=examples("atomctl runs resume 7f3a9c21"))
@click.argument("run")
@output_option
def resume(run: str, output: Format) -> None:
    """Go on with a paused or failed run; what is recorded is not run again."""
    _change(run, "resume", {}, output)


@command.command("rerun", epilog=examples("atomctl runs rerun 7f3a9c21 --from-step verify"))
@click.argument("run")
@click.option("--from-step", help="Copy the outputs of the steps before this one.")
@output_option
def rerun(run: str, from_step: str | None, output: Format) -> None:
    """Request a new run like an old one, linked to it."""
    _change(run, "rerun", {"from_step": from_step}, output)
