"""Metrics: only what the catalogue names, with only the values it names."""

from __future__ import annotations

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from atomctl.telemetry import catalog, metrics


def _value(name: str, **labels: str) -> float:
    families = text_string_to_metric_families(metrics.render().decode())  # type: ignore[no-untyped-call]  # no types
    for family in families:
        for sample in family.samples:
            if sample.name == name and sample.labels == labels:
                return float(sample.value)
    raise LookupError(f"{name} {labels}")


def test_what_is_counted_is_rendered() -> None:
    before = _value("atom_decisions_total", outcome="block")
    metrics.increment(catalog.DECISIONS, outcome="block")
    assert _value("atom_decisions_total", outcome="block") == before + 1


def test_a_gauge_shows_the_last_value_and_a_histogram_counts() -> None:
    metrics.set_to(catalog.AUDIT_LAG, 0.25)
    assert _value("atom_audit_lag_seconds") == 0.25
    metrics.observe(catalog.STEP_SECONDS, 2.0, handler="shell")
    assert _value("atom_step_attempt_seconds_bucket", handler="shell", le="5.0") >= 1


def test_series_with_few_values_are_there_before_they_are_counted() -> None:
    for state in catalog.RUN_STATES.labels["state"]:
        assert _value("atom_run_states_total", state=state) >= 0


def test_a_metric_that_is_not_in_the_catalogue_cannot_be_counted() -> None:
    with pytest.raises(ValueError, match="not in the catalogue"):
        metrics.increment(catalog.Counter(name="atom_made_up", help="x"))


def test_a_value_outside_a_closed_set_is_refused_and_in_an_open_one_it_is_other() -> None:
    with pytest.raises(ValueError, match="outcome of atom_decisions"):
        metrics.increment(catalog.DECISIONS, outcome="whatever")
    before = _value("atom_login_refusals_total", reason="other")
    metrics.increment(catalog.LOGIN_REFUSALS, reason="attacker's own words")
    assert _value("atom_login_refusals_total", reason="other") == before + 1


def test_labels_must_be_exactly_those_of_the_metric() -> None:
    with pytest.raises(ValueError, match="has the labels"):
        metrics.increment(catalog.DECISIONS)
    with pytest.raises(ValueError, match="has the labels"):
        metrics.increment(catalog.DECISIONS, outcome="block", tenant="a")


def test_the_catalogue_keeps_the_conventions() -> None:
    names = [metric.name for metric in catalog.CATALOG]
    assert len(set(names)) == len(names)
    declared = [value for value in vars(catalog).values() if isinstance(value, catalog.Metric)]
    assert {metric.name for metric in declared} == set(names)
    for metric in catalog.CATALOG:
        assert metric.name.startswith("atom_")
        assert not metric.name.endswith("_total")
        assert metric.help.endswith(".")
        assert metric.unit is None or metric.name.endswith(metric.unit)
        assert not {"tenant", "workflow", "run", "user"} & set(metric.labels)
    assert sum(len(metric.series()) for metric in catalog.CATALOG) < 1000
