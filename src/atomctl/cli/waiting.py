"""Waiting for a run: says what changes, and how to come back when the waiting is broken off."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import click

from atomctl.cli import codes, run_page
from atomctl.cli.identifiers import short
from atomctl.cli.patience import Patient, Reader
from atomctl.cli.printing import say
from atomctl.cli.progress import busy
from atomctl.errors import AtomError

_POLL_SECONDS = 20


def wait_for_run(client: Reader, run_id: str, limit: timedelta, *, logs: bool = False) -> dict[str, Any]:
    """The run once it has ended, or needs a person's decision on a step; with `logs`, its log as it grows.

    Ctrl-C ends the waiting, never the run.

    Raises:
        AtomError: CLI008 it had not ended after `limit`; API001 its server is away, longer than an upgrade takes.
    """
    deadline = time.monotonic() + limit.total_seconds()
    server = Patient(client, deadline)
    state, offset = "", 0
    seen: dict[str, str] = {}
    try:
        while True:
            wait = max(0, min(_POLL_SECONDS, 1 if logs else _POLL_SECONDS, int(deadline - time.monotonic())))
            with busy(f"run {short(run_id)} is {state}" if state else "asking"):
                run = server.get(f"runs/{run_id}", wait=wait, unless=state or None)
            if logs:
                offset = _print_log(server, run_id, offset)
            seen = _say_changes(run, state, seen)
            state = run["state"]
            if state in run_page.ENDED or state == "NEEDS_DECISION":
                return run
            if time.monotonic() >= deadline:
                raise AtomError(
                    codes.TIMED_OUT,
                    f"run {short(run_id)} is {state}",
                    hint=_come_back(run_id, state),
                )
    except KeyboardInterrupt:
        say(f"\nThe run goes on. Come back with: {_come_back(run_id, state)}")
        raise


def _print_log(reader: Reader, run_id: str, offset: int) -> int:
    """Prints the log lines from `offset` on and returns the offset behind the last."""
    while True:
        page = reader.get(f"runs/{run_id}/logs", offset=offset)
        for item in page["items"]:
            click.echo(f"{item['step']}  {item['text']}")
        if page["next_offset"] == offset or not page["items"]:
            return int(page["next_offset"])
        offset = int(page["next_offset"])


def _say_changes(run: dict[str, Any], state: str, seen: dict[str, str]) -> dict[str, str]:
    if run["state"] != state:
        say(f"run {short(run['id'])}: {run['state']}")
        if run["state"] in run_page.WAITS_FOR_A_PERSON:
            say(f"  {_come_back(run['id'], run['state'])}")
    now = dict(_states(run))
    for name, step_state in now.items():
        if seen.get(name) != step_state and step_state != "PENDING":
            say(f"  {name}: {step_state}")
    return now


def _states(run: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for step in run.get("steps", ()):
        yield f"{step['kind']} {step['name']}", step["state"]


def _come_back(run_id: str, state: str) -> str:
    identifier = short(run_id)
    if state == "AWAITING_APPROVAL":
        return f"atomctl approve {identifier}    # as another person"
    if state == "NEEDS_DECISION":
        return f"atomctl runs resolve {identifier} STEP done|rerun|rollback"
    return f"atomctl status {identifier}"
