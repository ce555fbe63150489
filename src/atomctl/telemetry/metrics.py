"""Counting, by the metrics of the catalogue alone; `render` is what Prometheus reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, assert_never

import prometheus_client as prometheus
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from atomctl.telemetry.catalog import CATALOG, OTHER, Counter, Gauge, Histogram, Metric
from atomctl.telemetry.readings import Source, StoredMetrics

CONTENT_TYPE = CONTENT_TYPE_LATEST
"""The media type of what `render` returns."""

_SHOWN_FROM_THE_START = 100
_END = b"# EOF\n"
# A process has one set of metrics, as it has one /metrics page.
_registry = prometheus.CollectorRegistry()
# A `_created` beside every series would double them, and nobody reads it.
prometheus.disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types here


def _collector(metric: Counter | Gauge | Histogram) -> Any:
    names = tuple(metric.labels)
    match metric:
        case Counter():
            collector: Any = prometheus.Counter(metric.name, metric.help, names, registry=_registry)
        case Gauge():
            collector = prometheus.Gauge(metric.name, metric.help, names, registry=_registry)
        case Histogram():
            collector = prometheus.Histogram(
                metric.name, metric.help, names, registry=_registry, buckets=metric.buckets
            )
        case _:
            assert_never(metric)
    series = metric.series()
    # A series that was never counted looks like one that does not exist, and an alert on it never fires.
    if names and len(series) <= _SHOWN_FROM_THE_START:
        for values in series:
            collector.labels(*values)
    return collector


_collectors = {metric.name: _collector(metric) for metric in CATALOG if not metric.stored}


def increment(metric: Counter, by: float = 1, *, exemplar: Mapping[str, str] | None = None, **labels: str) -> None:
    """Adds `by` to the series with these labels.

    `exemplar` names one of the things counted, such as `{"run": ID}`: it is shown beside the figure and is no label.

    Raises:
        ValueError: the metric is not in the catalogue, or a label or its value is not the metric's.
    """
    _series(metric, labels).inc(by, dict(exemplar) if exemplar else None)


def set_to(metric: Gauge, value: float, **labels: str) -> None:
    """Sets the series with these labels, in the metric's unit.

    Raises:
        ValueError: as for `increment`.
    """
    _series(metric, labels).set(value)


def observe(metric: Histogram, value: float, **labels: str) -> None:
    """Counts one observation, in the metric's unit.

    Raises:
        ValueError: as for `increment`.
    """
    _series(metric, labels).observe(value)


def render() -> bytes:
    """All metrics that this process counts, in the OpenMetrics text format."""
    page: bytes = generate_latest(_registry)  # type: ignore[no-untyped-call]  # the library has no types here
    return page


def page_with(sources: Sequence[Source]) -> Callable[[], bytes]:
    """What renders the same metrics with those that `sources` read, each time it is called."""
    stored = prometheus.CollectorRegistry()
    stored.register(StoredMetrics(sources))

    def page() -> bytes:
        counted = render().removesuffix(_END)
        figures: bytes = generate_latest(stored)  # type: ignore[no-untyped-call]  # as above
        return counted + figures

    return page


def _series(metric: Metric, labels: dict[str, str]) -> Any:
    if metric.name not in _collectors or metric not in CATALOG:
        raise ValueError(f"{metric.name} is not in the catalogue, or no process counts it")
    if set(labels) != set(metric.labels):
        raise ValueError(f"{metric.name} has the labels {sorted(metric.labels)}, got {sorted(labels)}")
    collector = _collectors[metric.name]
    if not labels:
        return collector
    return collector.labels(**{name: _bounded(metric, name, value) for name, value in labels.items()})


def _bounded(metric: Metric, label: str, value: str) -> str:
    allowed = metric.labels[label]
    if value in allowed:
        return value
    if OTHER in allowed:
        return OTHER
    raise ValueError(f"{label} of {metric.name} is one of {', '.join(allowed)}, got {value!r}")
