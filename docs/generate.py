"""Writes the generated reference pages from the code they describe: `python -m docs.generate`.

`make docs-check` fails when a committed page differs from what this writes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
from tools.dashboards import DASHBOARDS
from tools.dashboards.grafana import render as dashboard

from atomctl.access import permissions_page
from atomctl.cli import schemas
from atomctl.cli.main import root
from atomctl.cli.verbs import SECTIONS
from atomctl.errors import Code
from atomctl.explanation.known_codes import all_codes
from atomctl.rules import reference as rules_reference
from atomctl.server import openapi
from atomctl.settings import load_settings, setting_fields
from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.alerts import pages as alert_pages
from atomctl.telemetry.alerts.render import prometheus_rule, rule_file
from atomctl.wpk.schema import reference_page

REFERENCE = Path(__file__).parent / "reference"
NOTE = "<!-- Written by `make docs`; do not edit. -->\n"


def errors_page() -> str:
    """Every error code: title, meaning, remedy, exit code and HTTP status."""
    parts = ["# Error codes\n", NOTE, "`atomctl explain CODE` prints the same.\n"]
    return "\n".join([*parts, *map(_error_section, all_codes().values())])


def _error_section(code: Code) -> str:
    retry = ", may be retried" if code.retryable else ""
    return (
        f"## {code.id}\n**{code.title}**\n\n{code.meaning}\n\n"
        f"Hint: `{code.hint}`\n\nExit code {int(code.exit)}, HTTP status {code.status}{retry}.\n"
    )


def settings_page() -> str:
    """Every setting: environment variables, default, meaning."""
    rows = []
    defaults = load_settings(env={})
    for spec in setting_fields():
        variables = ", ".join(f"`{name}`" for name in spec.metadata["env"])
        default = "depends on the user" if spec.name == "home" else getattr(defaults, spec.name)
        rows.append(
            f"| `{spec.name}` | {variables} | {'-' if default is None else default} | {spec.metadata['help']} |"
        )
    head = (
        "# Settings\n\n" + NOTE + "\nA flag beats the environment, that beats the context file, that beats the default."
    )
    return f"{head} `atomctl doctor` shows what is in force and where it came from.\n\n" + "\n".join(
        ["| setting | environment | default | meaning |", "|---|---|---|---|", *rows, ""]
    )


def cli_page() -> str:
    """Every verb with its help, by section."""
    parts = ["# Command line\n", NOTE]
    context = click.Context(root, info_name="atomctl", max_content_width=110, terminal_width=110)
    for title, verbs in SECTIONS.items():
        parts.append(f"## {title}\n")
        for verb in verbs:
            command = root.get_command(context, verb.name)
            assert command is not None
            parts += _help(command, verb.name, context)
    return "\n".join(parts)


def _help(command: click.Command, name: str, parent: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=parent, max_content_width=110, terminal_width=110)
    yield f"### {context.command_path}\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from _help(found, child, context)


PAGES: dict[str, Callable[[], str]] = {
    "errors.md": errors_page,
    "settings.md": settings_page,
    "cli.md": cli_page,
    "json-output.md": schemas.reference_page,
    "rules.md": rules_reference.render,
    "permissions.md": permissions_page.render,
    "manifest.md": reference_page.render,
    "openapi.json": openapi.render,
    "metrics.md": alert_pages.metrics_page,
    "alerts.md": alert_pages.alerts_page,
    **{f"../how-to/runbooks/{alert.runbook}.md": partial(alert_pages.runbook, alert) for alert in ALERTS},
    "../../deploy/prometheus/atom-rules.yaml": partial(rule_file, ALERTS),
    "../../deploy/prometheus/prometheusrule.yaml": partial(prometheus_rule, ALERTS),
    "../../deploy/helm/atom/files/atom-rules.yaml": partial(rule_file, ALERTS),
    **{f"../../deploy/grafana/{page.name}.json": partial(dashboard, page) for page in DASHBOARDS},
}
"""What is written, by its place beside the reference pages."""


def main() -> None:
    """Writes every page that differs."""
    for name, page in PAGES.items():
        path, text = (REFERENCE / name).resolve(), page()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            click.echo(f"wrote {path.relative_to(REFERENCE.parents[1])}", err=True)


if __name__ == "__main__":
    main()
