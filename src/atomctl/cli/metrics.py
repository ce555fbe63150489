"""`atomctl metrics`: the alert rules, and the metrics there are."""

from __future__ import annotations

from typing import Any

import click

from atomctl.cli import codes
from atomctl.cli.invocation import Format, examples, output_option
from atomctl.cli.printing import emit, emit_many
from atomctl.errors import AtomError
from atomctl.settings import load_settings


@click.group("metrics")
def command() -> None:
    """Print the alert rules and the metrics there are."""


@command.command(
    "rules",
    epilog=examples(
        "atomctl metrics rules > /etc/prometheus/rules/atom.yaml",
        "atomctl metrics rules --operator | kubectl apply -f -",
        "atomctl metrics rules --window-scale 0.01    for a test that cannot wait",
    ),
)
@click.option("--operator", is_flag=True, help="As a PrometheusRule object of the Prometheus operator.")
@click.option("--window-scale", type=float, help="Multiply every window with this, for tests (ATOM_ALERT_SCALE).")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="A further label of every alert.")
@output_option
def rules(operator: bool, window_scale: float | None, labels: tuple[str, ...], output: Format) -> None:
    """Print the alert rules."""
    from atomctl.telemetry.alerts import ALERTS
    from atomctl.telemetry.alerts.render import prometheus_rule, rule_file

    scale = load_settings({"alert_scale": window_scale}).alert_scale
    render = prometheus_rule if operator else rule_file
    text = render(ALERTS, scale=scale, labels=dict(map(_label, labels)))
    document = {"name": "atom", "window_scale": scale, "alerts": [alert.name for alert in ALERTS], "rules": text}
    emit("alert-rules", document, output, text=lambda rules: str(rules["rules"]).rstrip())


@command.command("list", epilog=examples("atomctl metrics list", "atomctl metrics list -o json"))
@output_option
def list_metrics(output: Format) -> None:
    """List every metric with its labels."""
    from atomctl.telemetry.catalog import CATALOG

    documents = (
        {
            "name": metric.name,
            "type": type(metric).__name__.lower(),
            "unit": metric.unit,
            "stored": metric.stored,
            "labels": {name: list(values) for name, values in metric.labels.items()},
            "help": metric.help,
        }
        for metric in CATALOG
    )
    emit_many("metric", documents, output, text=_line)


def _label(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier() or not name.isascii():
        raise AtomError(codes.USAGE, f"--label takes NAME=VALUE, got {text!r}")
    return name, value


def _line(metric: dict[str, Any]) -> str:
    return f"{metric['name']:<40} {metric['type']:<9} {metric['help']}"
