"""`atomctl run`: request a run, and wait for it if asked to."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import click

from atomctl.cli import codes, run_page
from atomctl.cli.connection import open_client
from atomctl.cli.durations import Duration
from atomctl.cli.identifiers import short
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, say
from atomctl.cli.waiting import wait_for_run
from atomctl.errors import AtomError


@click.command(
    "run",
    epilog=examples(
        "atomctl run restart-web                            the newest version, with its default parameters",
        "atomctl run restart-web@1.2.0 -p service=api       one version, one parameter",
        "atomctl run restart-web --dry-run                  the plan and the approvals it needs; nothing is run",
        "atomctl run restart-web --wait --timeout 10m       wait until it has ended (exit 0 only if it succeeded)",
    ),
)
@click.argument("package", metavar="NAME[@VERSION]")
@click.option("-p", "--param", "params", multiple=True, metavar="KEY=VALUE", help="A parameter; JSON, else text.")
@click.option("--params", "params_file", type=click.File("rb"), help="A JSON file of parameters; - is standard input.")
@click.option("--reason", help="Why, for approvers and auditors.")
@click.option("--dry-run", is_flag=True, help="Show the plan and stop.")
@click.option("--wait", is_flag=True, help="Wait until the run has ended.")
@click.option("--watch", is_flag=True, help="Wait, and print the log as it grows.")
@click.option("--timeout", type=Duration(), default="1h", show_default=True, help="How long to wait.")
@click.option("--idempotency-key", help="The same key never starts a second run.")
@output_option
def command(
    package: str,
    params: tuple[str, ...],
    params_file: Any,
    reason: str | None,
    dry_run: bool,
    wait: bool,
    watch: bool,
    timeout: timedelta,
    idempotency_key: str | None,
    output: Format,
) -> None:
    """Request a run of a package."""
    name, _, version = package.partition("@")
    body: dict[str, object] = {
        "workflow": name,
        "version": version or None,
        "parameters": {**_from_file(params_file), **dict(_pair(text) for text in params)},
        "reason": reason,
        "dry_run": dry_run,
    }
    with open_client() as client:
        answer = client.post("runs", body, idempotency_key=None if dry_run else idempotency_key or str(uuid4()))
        if dry_run:
            emit("run-plan", {"name": name, **answer}, output, text=run_page.plan)
            return
        if not (wait or watch):
            emit("run", {"name": answer["id"], **answer}, output, text=lambda run: short(run["id"]))
            say(_next(answer))
            return
        say(_next(answer))
        ended = wait_for_run(client, answer["id"], timeout, logs=watch)
        emit("run", {"name": ended["id"], **ended}, output, text=run_page.page)
    if ended["state"] != "SUCCEEDED":
        raise AtomError(
            codes.RUN_ENDED_BADLY,
            f"run {short(ended['id'])} ended {ended['state']}",
            hint=f"atomctl runs explain {short(ended['id'])}",
        )


def _next(run: dict[str, Any]) -> str:
    identifier = short(run["id"])
    if run["state"] == "AWAITING_APPROVAL":
        return f"Run {identifier} waits for another person's vote.\nNext, as that person: atomctl approve {identifier}"
    return f"Run {identifier} is {run['state']}.\nNext: atomctl status {identifier}"


def _pair(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise AtomError(codes.USAGE, f"{text!r} is not KEY=VALUE")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


def _from_file(stream: Any) -> dict[str, Any]:
    if stream is None:
        return {}
    try:
        values = json.loads(stream.read(1 << 20))
    except ValueError as error:
        raise AtomError(codes.USAGE, f"{getattr(stream, 'name', '-')}: not JSON: {error}") from error
    if not isinstance(values, dict):
        raise AtomError(codes.USAGE, f"{getattr(stream, 'name', '-')}: not a JSON object")
    return values
