"""The dashboards: data on top of the metric catalogue and the alerts, rendered to what Grafana imports."""

from __future__ import annotations

from tools.dashboards import data, registry, runtime, security
from tools.dashboards.model import Dashboard

DASHBOARDS: tuple[Dashboard, ...] = (registry.DASHBOARD, runtime.DASHBOARD, security.DASHBOARD, data.DASHBOARD)
"""All of them; each is `deploy/grafana/<name>.json`."""

UNCATALOGUED = {"up": "Prometheus makes it itself, for every process that it scrapes"}
"""What a panel may name beside the catalogue, with the reason."""

WITHOUT_PANEL: dict[str, str] = {}
"""Catalogued metrics that no panel shows, with the reason."""
