"""Alerts and metrics as pages of the documentation. Pure."""

from __future__ import annotations

from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.alerts.model import Alert, duration
from atomctl.telemetry.catalog import CATALOG, Counter, Gauge, Histogram

_NOTE = "<!-- Written by `make docs`; do not edit. -->\n"


def metrics_page() -> str:
    """Every metric: name, type, unit, labels with their values, meaning."""
    head = (
        "# Metrics\n\n" + _NOTE + "\nThe server shows its own at `/metrics` of its port, each worker at a port of its "
        "own (see [Prometheus](../how-to/prometheus.md)). Labels have no other values than those below, so the number "
        "of series does not grow with what runs. *Read* means: no process counts it, every worker reads it from the "
        "database when it is asked, and all of them show the same; take the `max` of it.\n"
    )
    return "\n".join([head, *(_metric(metric) for metric in CATALOG)])


def _metric(metric: Counter | Gauge | Histogram) -> str:
    kind = type(metric).__name__.lower()
    shown = f"{metric.name}_total" if isinstance(metric, Counter) else metric.name
    facts = [kind, *([metric.unit] if metric.unit else []), *(["read"] if metric.stored else [])]
    labels = "".join(f"\n- `{name}`: {', '.join(f'`{v}`' for v in values)}" for name, values in metric.labels.items())
    return (
        f"## {shown}\n{metric.help} *({', '.join(facts)})*\n{labels}\n"
        if labels
        else (f"## {shown}\n{metric.help} *({', '.join(facts)})*\n")
    )


def alerts_page() -> str:
    """Every alert with its severity, expression and runbook."""
    rows = [
        f"| [{alert.name}](../how-to/runbooks/{alert.runbook}.md) | {alert.severity} | {duration(alert.wait)} "
        f"| {alert.summary} |"
        for alert in ALERTS
    ]
    head = (
        "# Alerts\n\n" + _NOTE + "\nThe rules are shipped as `deploy/prometheus/atom-rules.yaml` for Prometheus itself "
        "and as `deploy/prometheus/prometheusrule.yaml` for its operator; `atomctl metrics rules` prints both. "
        "`critical` is meant to wake somebody.\n"
    )
    return "\n".join([head, "| alert | severity | after | says |", "|---|---|---|---|", *rows, ""])


def runbook(alert: Alert) -> str:
    """One alert for whoever was woken by it: what it means, what to do, what exactly fired."""
    steps = "\n".join(f"{number}. {step}" for number, step in enumerate(alert.clear, 1))
    wait = f", for {duration(alert.wait)}" if alert.wait else ""
    return (
        f"# {alert.name}\n\n{_NOTE}\n**{alert.severity}**: {alert.summary}\n\n## What it means\n{alert.means}\n\n"
        f"## What to do\n{steps}\n\n## What fired\nThis expression gives a value{wait}:\n\n"
        f"```promql\n{alert.expression()}\n```\n\nIt is over when the expression gives nothing any more.\n"
    )
