"""Alert rules as data: they name what the catalogue has, and scaling touches windows alone."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from atomctl.telemetry import catalog
from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.alerts.model import Alert, Severity, duration
from atomctl.telemetry.alerts.render import RUNBOOKS, rule_file
from atomctl.telemetry.catalog import CATALOG, Counter, Metric

BY_NAME = {f"{m.name}_total" if isinstance(m, Counter) else m.name: m for m in CATALOG}
SELECTOR = re.compile(r"(atom_[a-z_]+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_names_only_metrics_labels_and_values_of_the_catalogue(alert: Alert) -> None:
    named = SELECTOR.findall(alert.expression())
    assert named or "up{" in alert.expr
    for name, matchers in named:
        metric: Metric = BY_NAME[name]
        for label, operator, values in MATCHER.findall(matchers):
            words = values.split("|") if "~" in operator else [values]
            assert set(words) <= set(metric.labels[label]), f"{name}{{{label}}}"


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_an_alert_says_what_it_means_and_what_to_do_and_its_page_is_there(alert: Alert) -> None:
    assert alert.name.startswith("Atom")
    assert alert.summary.endswith(".")
    assert len(alert.means) > 60
    assert alert.clear
    assert ("$age" in alert.expr) == (alert.age is not None)
    assert Path(RUNBOOKS, f"{alert.runbook}.md").is_file()


def test_names_and_pages_are_unique() -> None:
    assert len({alert.name for alert in ALERTS}) == len({alert.runbook for alert in ALERTS}) == len(ALERTS)


def test_every_figure_an_alert_needs_has_a_rule_for_its_absence() -> None:
    absent = " ".join(alert.expr for alert in ALERTS)
    for name in (
        "atom_run_states_total",
        "atom_http_requests_total",
        "atom_backup_timestamp_seconds",
        "atom_audit_oldest_waiting_seconds",
        "atom_audit_verified_timestamp_seconds",
        "atom_audit_leading",
        "atom_workers",
    ):
        assert f"absent({name})" in absent


def an_alert() -> Alert:
    return Alert(
        name="AtomTest",
        expr="sum(increase(a[10m])) / sum(increase(a[1d])) > 0.144 and b > $age",
        severity=Severity.INFO,
        summary="s",
        means="m",
        clear=("c",),
        wait=timedelta(minutes=5),
        age=timedelta(hours=4),
    )


def test_at_full_scale_the_windows_are_the_ones_written_down() -> None:
    alert = an_alert()
    assert alert.expression() == "sum(increase(a[10m])) / sum(increase(a[1d])) > 0.144 and b > 14400"
    assert alert.waiting() == "5m"


def test_scaling_shortens_windows_and_ages_and_no_threshold() -> None:
    alert = an_alert()
    assert alert.expression(0.1) == "sum(increase(a[1m])) / sum(increase(a[144m])) > 0.144 and b > 1440"
    assert alert.waiting(0.1) == "30s"


def test_a_range_never_becomes_too_short_to_hold_two_samples() -> None:
    assert "[5s]" in an_alert().expression(0.0001)
    assert an_alert().waiting(0.0001) == "0s"


@pytest.mark.parametrize("scale", [0.0, -1.0, 1.5, float("nan")])
def test_a_scale_that_shortens_nothing_or_everything_is_refused(scale: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        rule_file(ALERTS, scale=scale)


@pytest.mark.parametrize(
    ("span", "text"), [("0", "0s"), ("90", "90s"), ("300", "5m"), ("7200", "2h"), ("172800", "2d"), ("3660", "61m")]
)
def test_durations_are_written_as_prometheus_reads_them(span: str, text: str) -> None:
    assert duration(timedelta(seconds=int(span))) == text


def test_the_same_rules_are_the_same_bytes_and_labels_reach_every_alert() -> None:
    assert rule_file(ALERTS) == rule_file(tuple(ALERTS))
    rules = yaml.safe_load(rule_file(ALERTS, labels={"probe": "true"}))["groups"][0]["rules"]
    assert {rule["labels"]["probe"] for rule in rules} == {"true"}


SOURCE = Path("src/atomctl")
COUNTING = {file: file.read_text() for file in SOURCE.rglob("*.py") if not file.is_relative_to(SOURCE / "telemetry")}


@pytest.mark.parametrize(
    "constant", [name for name, value in vars(catalog).items() if isinstance(value, Metric) and name != "STORED_READ"]
)
def test_the_product_really_counts_or_reads_every_metric(constant: str) -> None:
    assert [str(file) for file, text in COUNTING.items() if f"catalog.{constant}" in text], constant


def test_only_telemetry_knows_the_library_behind_the_metrics() -> None:
    assert [str(file) for file, text in COUNTING.items() if "prometheus_client" in text] == []
