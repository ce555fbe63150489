"""The alert rules as Prometheus reads them. Pure: the same rules and scale are the same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from atomctl.telemetry.alerts.model import Alert

RUNBOOKS = "docs/how-to/runbooks"
"""Where the runbooks lie; put the address of your copy of the documentation in front of it."""

_GROUP = "atom"
_NOTE = "# Written by `make docs` from src/atomctl/telemetry/alerts; do not edit.\n"


def rule_file(alerts: Sequence[Alert], *, scale: float = 1.0, labels: Mapping[str, str] | None = None) -> str:
    """A rule file for Prometheus' `rule_files`.

    Args:
        alerts: the rules.
        scale: what every window is multiplied with; 1 for anything but tests and controls.
        labels: further labels of every alert, such as `{"probe": "true"}`.

    Raises:
        ValueError: `scale` is not above 0 and up to 1.
    """
    return _NOTE + _yaml({"groups": [_group(alerts, scale, labels or {})]})


def prometheus_rule(
    alerts: Sequence[Alert], *, scale: float = 1.0, labels: Mapping[str, str] | None = None, namespace: str = "atom"
) -> str:
    """The same rules as an object of the Prometheus operator, `monitoring.coreos.com/v1`.

    Raises:
        ValueError: `scale` is not above 0 and up to 1.
    """
    document = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {
            "name": "atom",
            "namespace": namespace,
            "labels": {"app.kubernetes.io/name": "atom", "app.kubernetes.io/component": "alerts"},
        },
        "spec": {"groups": [_group(alerts, scale, labels or {})]},
    }
    return _NOTE + _yaml(document)


def _group(alerts: Sequence[Alert], scale: float, labels: Mapping[str, str]) -> dict[str, Any]:
    return {"name": _GROUP, "rules": [_rule(alert, scale, labels) for alert in alerts]}


def _rule(alert: Alert, scale: float, labels: Mapping[str, str]) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression(scale),
        "for": alert.waiting(scale),
        "labels": {"severity": alert.severity.value, **labels},
        "annotations": {
            "summary": alert.summary,
            "clear": alert.clear[0],
            "runbook_url": f"{RUNBOOKS}/{alert.runbook}.md",
        },
    }


def _yaml(document: dict[str, Any]) -> str:
    text: str = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)
    return text
