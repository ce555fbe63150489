"""What a dashboard is: rows of panels, each of which says what it shows in the catalogue's own words. Pure."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.alerts.model import Alert
from atomctl.telemetry.catalog import CATALOG, Counter, Gauge, Histogram, Metric

_NAME = re.compile(r"\batom_[a-z_]+")
_HISTOGRAM_SUFFIXES = ("_bucket", "_count", "_sum")
_ALERTS = {alert.name: alert for alert in ALERTS}


class Unit(enum.StrEnum):
    """A Grafana unit. Source: `@grafana/data`, `valueFormats/categories.ts`."""

    NUMBER = "short"
    PER_MINUTE = "cpm"
    SECONDS = "s"
    SHARE = "percentunit"


class Kind(enum.StrEnum):
    """How a panel is drawn: one figure as of now, or lines over time."""

    FIGURE = "stat"
    LINES = "timeseries"


@dataclass(frozen=True, slots=True)
class Query:
    """One PromQL expression; `legend` is Grafana's template, such as `{{state}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One picture.

    Attributes:
        title: what it shows, in a few words.
        queries: what is drawn, in order.
        unit: of all its values.
        kind: how it is drawn.
        alert: the alert that fires on the same figures; the panel links to its runbook.
        above: values from here on are bad; the colour is the alert's severity.
        below: values under this are bad.
        width: of the 24 columns of the grid.
    """

    title: str
    queries: tuple[Query, ...]
    unit: Unit = Unit.NUMBER
    kind: Kind = Kind.LINES
    alert: str | None = None
    above: float | None = None
    below: float | None = None
    width: int = 12

    @property
    def height(self) -> int:
        """In rows of the grid."""
        return 4 if self.kind is Kind.FIGURE else 8

    @property
    def metrics(self) -> tuple[Counter | Gauge | Histogram, ...]:
        """The catalogue's metrics it draws, each once.

        Raises:
            LookupError: an expression names a metric that is not in the catalogue.
        """
        names = [name for query in self.queries for name in _NAME.findall(query.expr)]
        found = {metric.name: metric for metric in map(metric_named, names)}
        return tuple(found.values())

    @property
    def description(self) -> str:
        """The help of each metric it draws, from the catalogue, and what its alert says is wrong."""
        parts = [f"`{shown(metric)}`: {metric.help}" for metric in self.metrics]
        if self.rule:
            parts.append(f"**{self.rule.name}** ({self.rule.severity}): {self.rule.means}")
        return "\n\n".join(parts)

    @property
    def rule(self) -> Alert | None:
        """Its alert."""
        return _ALERTS[self.alert] if self.alert else None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """One page; `name` is its file's and, behind `atom-`, its lasting id in Grafana."""

    name: str
    title: str
    description: str
    rows: tuple[Row, ...]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Its panels, in order."""
        return tuple(panel for row in self.rows for panel in row.panels)


def shown(metric: Metric) -> str:
    """The name under which Prometheus has it."""
    return f"{metric.name}_total" if isinstance(metric, Counter) else metric.name


def metric_named(name: str) -> Counter | Gauge | Histogram:
    """The metric whose series Prometheus has under this name.

    Raises:
        LookupError: it is none of the catalogue's.
    """
    for metric in CATALOG:
        if name in _names(metric):
            return metric
    raise LookupError(f"{name} is not in the catalogue")


def _names(metric: Counter | Gauge | Histogram) -> set[str]:
    if isinstance(metric, Histogram):
        return {metric.name + suffix for suffix in _HISTOGRAM_SUFFIXES}
    return {shown(metric)}


def age_limit(alert: str) -> float:
    """How many seconds old something may be by this alert."""
    age = _ALERTS[alert].age
    assert age is not None, f"{alert} compares no ages"
    return age.total_seconds()
