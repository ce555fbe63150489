"""Ten thousand workflows of ten thousand tenants show no more series than the catalogue names."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import generate_latest

from atomctl.insight.figures import signal_figures
from atomctl.server import shell
from atomctl.telemetry import catalog, metrics
from atomctl.telemetry.catalog import CATALOG, Counter, Gauge, Histogram, Metric
from atomctl.telemetry.readings import Reading, StoredMetrics

MANY = 10_000


def most_lines(metric: Metric) -> int:
    """The samples that all series of a metric can have: a histogram shows its buckets, `+Inf`, a count and a sum."""
    each = len(metric.buckets) + 3 if isinstance(metric, Histogram) else 1
    return each * len(metric.series())


def lines(page: bytes) -> list[str]:
    """The samples, without the exemplars beside them: those name a run, and are no series."""
    return [line.split(" # ")[0] for line in page.decode().splitlines() if not line.startswith("#")]


def count_for(metric: Counter | Gauge | Histogram, labels: dict[str, str], run: str) -> None:
    match metric:
        case Counter():
            metrics.increment(metric, 1, exemplar={"run": run}, **labels)
        case Gauge():
            metrics.set_to(metric, 1, **labels)
        case Histogram():
            metrics.observe(metric, 1, **labels)


def use(number: int) -> None:
    """One workflow of one tenant comes into every label of every metric that a process counts, as far as it gets."""
    name = f"tenant-{number}/workflow-{number}"
    for metric in CATALOG:
        if metric.stored:
            continue
        values = metric.series()[number % len(metric.series())]
        real = dict(zip(metric.labels, values, strict=True))
        count_for(metric, real, name)
        for label in metric.labels:
            with contextlib.suppress(ValueError):  # a closed set refuses it, an open one calls it `other`
                count_for(metric, {**real, label: name}, name)


def test_ten_thousand_workflows_leave_the_number_of_series_bounded() -> None:
    bound = sum(most_lines(metric) for metric in CATALOG if not metric.stored)
    seen = []
    for number in range(MANY):
        use(number)
        if number in {MANY // 10 - 1, MANY - 1}:
            page = lines(metrics.render())
            assert not [line for line in page if "workflow-" in line]
            seen.append(len(page))
    assert seen[0] == seen[1] <= bound
    assert bound < 1500


def test_ten_thousand_paths_and_methods_are_a_handful_of_nouns() -> None:
    use(0)
    for number in range(MANY):
        path = f"/api/v1/packages/workflow-{number}/1.0.{number}" if number % 2 else f"/workflow-{number}/x"
        shell._measure({"path": path, "method": f"M{number}"}, 200, 0.01)
    shown = [line for line in lines(metrics.render()) if line.startswith("atom_http_requests_total")]
    assert len(shown) <= len(catalog.HTTP_REQUESTS.series())
    assert not [line for line in shown if "workflow-" in line]


def test_signals_about_ten_thousand_workflows_are_counted_and_not_named() -> None:
    kinds, severities = catalog.SIGNALS.labels["kind"], catalog.SIGNALS.labels["severity"]
    rows = [
        {
            "subject": f"workflow-{number}",
            "kind": kinds[number % len(kinds)],
            "severity": severities[number % len(severities)],
            "state": "open",
            "label": "useful",
            "signals": 1,
        }
        for number in range(MANY)
    ]
    registry = CollectorRegistry()
    registry.register(StoredMetrics([lambda: signal_figures(rows)]))
    page = lines(generate_latest(registry))  # type: ignore[no-untyped-call]  # the library has no types here
    assert len(page) == len(catalog.SIGNALS.series()) + len(kinds) + 1
    assert sum(float(line.rpartition(" ")[2]) for line in page if line.startswith("atom_signals{")) == MANY


def test_a_figure_with_a_name_for_a_label_is_not_shown_at_all() -> None:
    def named() -> Iterator[Reading]:
        yield Reading(catalog.RUNS_OPEN, 1, {"state": "workflow-7"})

    registry = CollectorRegistry()
    registry.register(StoredMetrics([named]))
    with pytest.raises(ValueError, match="got 'workflow-7'"):
        generate_latest(registry)  # type: ignore[no-untyped-call]  # as above
