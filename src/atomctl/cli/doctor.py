"""`atomctl doctor`: what is set, by whom, what is there and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from typing import Any

import click

from atomctl import __version__
from atomctl.cli import contexts
from atomctl.cli.bucket_checks import bucket_checks
from atomctl.cli.cluster_check import cluster_check
from atomctl.cli.connection import settings_in_force
from atomctl.cli.embedding_check import embedding_check
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import colour, emit, table
from atomctl.client import Client
from atomctl.errors import AtomError
from atomctl.settings import Settings, setting_fields

Check = dict[str, str]
_TONES = {"ok": "green", "missing": "yellow", "problem": "red"}


@click.command(
    "doctor", epilog=examples("atomctl doctor", "atomctl doctor -o json    for a bug report; it holds no secret")
)
@output_option
def command(output: Format) -> int:
    """Show settings, servers and what is missing.

    Exit code 1 when something is a problem; what is merely missing says what it would be good for.
    """
    settings = settings_in_force()
    checks = list(_checks(settings))
    document = {"name": __version__, "settings": list(_settings(settings)), "checks": checks}
    emit("doctor", document, output, text=_page)
    return int(any(check["state"] == "problem" for check in checks))


def _settings(settings: Settings) -> Iterator[dict[str, str]]:
    for spec in setting_fields():
        value = getattr(settings, spec.name)
        shown = "-" if value is None else "(set)" if spec.metadata["secret"] else str(value)
        yield {"name": spec.name, "value": shown, "origin": settings.origin(spec.name)}


def _checks(settings: Settings) -> Iterator[Check]:
    yield _check("python", "ok", f"{platform.python_version()} at {sys.executable}")
    yield _isolation()
    yield _embedded_postgres(settings)
    yield _home(settings)
    yield from bucket_checks(settings)
    yield cluster_check(settings)
    yield embedding_check(settings)
    yield _server(settings)


def _check(name: str, state: str, detail: str, hint: str = "") -> Check:
    return {"name": name, "state": state, "detail": detail, "hint": hint}


def _isolation() -> Check:
    from atomctl.runs.steps.model import IsolationLevel
    from atomctl.runs.steps.probe import probe

    found = probe()
    if found.level is not IsolationLevel.NONE:
        return _check("step isolation", "ok", f"{found.level}: {found.bwrap}")
    hint = "sudo apt-get install bubblewrap"
    return _check("step isolation", "missing", f"{found.reason}; steps would run unsandboxed", hint)


def _embedded_postgres(settings: Settings) -> Check:
    if settings.database_url:
        return _check("database", "ok", "external, see settings")
    from atomctl.db.binaries import wheel_binaries

    try:
        return _check("embedded PostgreSQL", "ok", f"version {wheel_binaries().major}")
    except AtomError as error:
        return _check("embedded PostgreSQL", "missing", error.why, error.hint)


def _home(settings: Settings) -> Check:
    home = settings.home
    if not home.exists():
        return _check("home", "missing", f"{home} does not exist yet", "atomctl up")
    mode = home.stat().st_mode & 0o777
    if mode & 0o022:
        return _check("home", "problem", f"{home} has mode {mode:04o}: others may change it", f"chmod 0700 {home}")
    free = shutil.disk_usage(home).free // (1 << 20)
    state = "ok" if free > 512 and os.access(home, os.R_OK) else "problem"
    return _check("home", state, f"{home}, {free} MiB free", "" if state == "ok" else "free some space")


def _server(settings: Settings) -> Check:
    if settings.api_url is None:
        return _check("server", "missing", "no context is chosen", "atomctl up")
    try:
        with Client(settings.api_url, contexts.read_token(settings)) as client:
            identity = client.get("auth/whoami")
    except (AtomError, OSError) as error:
        hint = error.hint if isinstance(error, AtomError) else "atomctl auth login"
        return _check("server", "problem", f"{settings.api_url}: {error}", hint)
    who = f"{identity['principal']['subject']} in tenant {identity['tenant']['name']}"
    return _check("server", "ok", f"{settings.api_url}, as {who}")


def _page(document: dict[str, Any]) -> str:
    rows = (
        (colour(f"{check['state']:<8}", fg=_TONES[check["state"]]), check["name"], check["detail"])
        for check in document["checks"]
    )
    hints = [f"  {check['name']}: {check['hint']}" for check in document["checks"] if check["hint"]]
    settings = table(((s["name"], s["value"], s["origin"]) for s in document["settings"]), ("setting", "value", "from"))
    parts = [f"atomctl {document['name']}", table(rows, ("state", "check", "")), settings]
    return "\n\n".join(parts + (["\n".join(["hints:", *hints])] if hints else []))
