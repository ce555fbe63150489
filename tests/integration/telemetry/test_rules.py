"""The shipped alert rules, judged by Prometheus' own tool: they are valid, they fire, and they are silent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.telemetry.alert_cases import ABSENT, CASES, Case, Series
from tests.servers.prometheus import promtool

from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.alerts.render import prometheus_rule, rule_file

SHIPPED = Path("deploy/prometheus/atom-rules.yaml")


def both(cases: dict[str, Case]) -> Iterator[dict[str, Any]]:
    for name, case in cases.items():
        yield situation(name, case.fires, case.at, firing=True)
        yield situation(name, case.silent, case.at, firing=False)


def situation(name: str, series: Series, at: str, *, firing: bool) -> dict[str, Any]:
    query = f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) > bool 0'
    return {
        "name": f"{name} {'fires' if firing else 'is silent'}",
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {"expr": query, "eval_time": at, "exp_samples": [{"labels": "{}", "value": 1}] if firing else []}
        ],
    }


def judged(folder: Path, rules: str, tests: list[dict[str, Any]]) -> str:
    """What promtool says is wrong."""
    (folder / "rules.yaml").write_text(rules)
    document = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.json").write_text(json.dumps(document))  # JSON is YAML
    done = promtool("test", "rules", "tests.json", folder=folder)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_every_alert_fires_when_it_should_and_is_silent_when_not(tmp_path: Path) -> None:
    assert set(CASES) == {alert.name for alert in ALERTS}
    assert judged(tmp_path, SHIPPED.read_text(), [*both(CASES), *both(ABSENT)]) == ""


@pytest.mark.parametrize("name", ["AtomRunFailed", "AtomBackupOld", "AtomVaultSealed"])
def test_the_cases_notice_a_rule_that_was_taken_out(tmp_path: Path, name: str) -> None:
    without = rule_file([alert for alert in ALERTS if alert.name != name])
    assert "got: nil" in judged(tmp_path, without, list(both({name: CASES[name]})))


def test_the_cases_notice_a_rule_that_always_fires(tmp_path: Path) -> None:
    rules = SHIPPED.read_text().replace("> 93600", "> -1")
    assert "exp: nil" in judged(tmp_path, rules, list(both({"AtomBackupOld": CASES["AtomBackupOld"]})))


@pytest.mark.parametrize("scale", [1.0, 0.0001])
def test_the_rules_are_valid_at_every_scale(tmp_path: Path, scale: float) -> None:
    (tmp_path / "rules.yaml").write_text(rule_file(ALERTS, scale=scale, labels={"probe": "true"}))
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout


def test_the_operators_object_holds_the_same_rules() -> None:
    shipped = yaml.safe_load(Path("deploy/prometheus/prometheusrule.yaml").read_text())
    assert shipped["kind"] == "PrometheusRule"
    assert shipped["spec"] == yaml.safe_load(SHIPPED.read_text())
    assert prometheus_rule(ALERTS, namespace="x").count("namespace: x") == 1


def test_scaling_shortens_windows_and_nothing_else(tmp_path: Path) -> None:
    """At a hundredth, an approval that waits for 145 s fires, and one that waits for 143 s does not."""
    case = Case(
        {'atom_approval_oldest_seconds{kind="run"}': "145x60"}, {'atom_approval_oldest_seconds{kind="run"}': "143x60"}
    )
    assert judged(tmp_path, rule_file(ALERTS, scale=0.01), list(both({"AtomApprovalWaiting": case}))) == ""
