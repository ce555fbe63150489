"""The alert rules: data, rendered from here alone to Prometheus' rule file, a PrometheusRule object and runbooks."""

from __future__ import annotations

from atomctl.telemetry.alerts import records, runs, security, service
from atomctl.telemetry.alerts.model import Alert

ALERTS: tuple[Alert, ...] = (*runs.ALERTS, *security.ALERTS, *records.ALERTS, *service.ALERTS)
"""Every rule, in the order of the rule file."""
