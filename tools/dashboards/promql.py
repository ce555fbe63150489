"""Expressions over metrics of the catalogue: a name that is not there cannot be written. Pure.

`$__rate_interval` and `$__range` are Grafana's own: a window that fits the picture's resolution, and the time shown.
"""

from __future__ import annotations

from tools.dashboards.model import Query, shown

from atomctl.telemetry.catalog import Counter, Gauge, Histogram


def per_minute(metric: Counter, by: str, having: str = "") -> Query:
    """How many a minute, one line for each value of the label `by`; processes are summed."""
    expr = f"60 * sum by ({by}) (rate({_series(metric, having)}[$__rate_interval]))"
    return Query(expr, f"{{{{{by}}}}}")


def total_per_minute(metric: Counter, legend: str, having: str = "") -> Query:
    """How many a minute, in one line."""
    return Query(f"60 * sum(rate({_series(metric, having)}[$__rate_interval]))", legend)


def in_range(metric: Counter, having: str = "") -> Query:
    """How many within the time shown; of a counter that is read, every worker's copy says the same."""
    over_copies = "max" if metric.stored else "sum"
    return Query(f"{over_copies}(increase({_series(metric, having)}[$__range]))")


def share(metric: Counter, part: str, whole: str = "", *, window: str = "$__rate_interval", legend: str = "") -> Query:
    """Which share of those that match `whole` match `part`, from 0 to 1; no value where there were none."""
    counted, of = (f"sum(increase({_series(metric, having)}[{window}]))" for having in (part, whole))
    return Query(f"{counted} / {of}", legend)


def quantile(metric: Histogram, at: float, by: str, having: str = "") -> Query:
    """The time under which a share `at` of the observations stayed, for each value of `by` that had any."""
    buckets = f"sum by (le, {by}) (rate({metric.name}_bucket{_braces(having)}[$__rate_interval]))"
    return Query(f"histogram_quantile({at}, {buckets}) >= 0", f"{{{{{by}}}}} p{round(at * 100)}")


def largest(metric: Gauge, by: str = "", having: str = "") -> Query:
    """The value of a gauge of which every worker shows the same, or the largest if they differ."""
    grouping = f" by ({by}) " if by else ""
    legend = " ".join(f"{{{{{label.strip()}}}}}" for label in by.split(",")) if by else ""
    return Query(f"max{grouping}({_series(metric, having)})", legend)


def since(metric: Gauge, *, of: str = "max") -> Query:
    """Seconds since the moment that the gauge names."""
    return Query(f"time() - {of}({shown(metric)})")


def until(metric: Gauge) -> Query:
    """Seconds until the earliest moment that the gauge names."""
    return Query(f"min({shown(metric)}) - time()")


def _series(metric: Counter | Gauge, having: str) -> str:
    return shown(metric) + _braces(having)


def _braces(having: str) -> str:
    return f"{{{having}}}" if having else ""
