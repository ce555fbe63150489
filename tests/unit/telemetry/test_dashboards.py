"""The shipped dashboards: they say what the catalogue says, and Grafana can lay them out."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
from tests.unit.telemetry.test_alerts import BY_NAME, MATCHER
from tools.dashboards import DASHBOARDS, UNCATALOGUED, WITHOUT_PANEL
from tools.dashboards.grafana import render
from tools.dashboards.model import Dashboard, Panel, Query, metric_named

from atomctl.telemetry import catalog
from atomctl.telemetry.alerts import ALERTS
from atomctl.telemetry.catalog import CATALOG

SHIPPED = {file.stem: json.loads(file.read_text()) for file in sorted(Path("deploy/grafana").glob("*.json"))}
PANELS = [pytest.param(panel, id=f"{page.name}: {panel.title}") for page in DASHBOARDS for panel in page.panels]
SELECTOR = re.compile(r"\b(atom_[a-z_]+|up)(?:\{([^}]*)\})?")
FUNCTIONS = {
    "sum", "max", "min", "rate", "increase", "histogram_quantile", "time", "by",
}  # fmt: skip


def shipped_panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in SHIPPED[name]["panels"] if panel["type"] != "row"]


def test_there_are_the_four_and_the_files_are_what_the_source_says() -> None:
    assert {page.name for page in DASHBOARDS} == set(SHIPPED) == {"registry", "runtime", "security", "data"}
    for page in DASHBOARDS:
        assert Path(f"deploy/grafana/{page.name}.json").read_text() == render(page), "run `make docs`"


def test_every_metric_is_shown_or_has_a_reason_not_to_be() -> None:
    drawn = {metric.name for page in DASHBOARDS for panel in page.panels for metric in panel.metrics}
    names = {metric.name for metric in CATALOG}
    assert drawn | set(WITHOUT_PANEL) == names
    assert drawn & set(WITHOUT_PANEL) == set()
    assert all(len(reason) > 20 for reason in [*WITHOUT_PANEL.values(), *UNCATALOGUED.values()])


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_names_only_metrics_labels_and_values_of_the_catalogue(panel: Panel) -> None:
    for query in panel.queries:
        without_strings = re.sub(r'"[^"]*"', "", re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)", "", query.expr))
        for name in re.findall(r"[a-z_]{2,}", without_strings):
            assert name in FUNCTIONS or name in UNCATALOGUED or metric_named(name) in CATALOG
        for name, matchers in SELECTOR.findall(query.expr):
            for label, operator, values in MATCHER.findall(matchers):
                if name in UNCATALOGUED:
                    continue
                words = values.split("|") if "~" in operator else [values]
                assert set(words) <= set(BY_NAME[name.removesuffix("_bucket")].labels[label]), query.expr


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_groups_by_labels_that_its_metrics_have(panel: Panel) -> None:
    known = {label for metric in panel.metrics for label in metric.labels} | {"le"}
    for query in panel.queries:
        for labels in re.findall(r"by \(([^)]*)\)", query.expr):
            assert {label.strip() for label in labels.split(",")} <= known, query.expr
        assert set(re.findall(r"\{\{(\w+)\}\}", query.legend)) <= known


@pytest.mark.parametrize("panel", PANELS)
def test_a_limit_is_the_one_its_alert_fires_at(panel: Panel) -> None:
    limits = [limit for limit in (panel.above, panel.below) if limit is not None]
    assert len(limits) < 2
    if panel.rule is None or not limits:
        return
    compared = {float(number) for number in re.findall(r"[<>] ([\d.e+]+)", panel.rule.expression())}
    counted_from_one = {1.0} if 0.0 in compared else set()
    assert limits[0] in compared | counted_from_one


def test_every_alert_with_figures_of_its_own_is_linked_from_a_panel() -> None:
    linked = {panel.alert for page in DASHBOARDS for panel in page.panels}
    about_absence = {
        "AtomRunsUncounted",
        "AtomRequestsUncounted",
        "AtomRecordsUnread",
    }  # where they fire there is nothing to draw
    assert linked - {None} == {alert.name for alert in ALERTS} - about_absence


def test_ids_and_titles_are_unique() -> None:
    assert {page["uid"] for page in SHIPPED.values()} == {f"atom-{name}" for name in SHIPPED}
    for page in SHIPPED.values():
        ids = [panel["id"] for panel in page["panels"]]
        assert len(set(ids)) == len(ids)
        titles = [panel["title"] for panel in page["panels"]]
        assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", SHIPPED)
def test_no_two_panels_stand_on_the_same_place_and_none_stands_outside(name: str) -> None:
    places = [panel["gridPos"] for panel in SHIPPED[name]["panels"]]
    for place in places:
        assert place["x"] >= 0
        assert place["w"] > 0
        assert place["h"] > 0
        assert place["x"] + place["w"] <= 24
    for one, other in itertools.combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_panel_says_what_it_shows_and_asks_the_chosen_prometheus(name: str) -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert [variable["name"] for variable in SHIPPED[name]["templating"]["list"]] == ["datasource", "docs"]
    for panel in shipped_panels(name):
        assert panel["title"]
        assert len(panel["description"]) > 30
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["datasource"] == chosen
        assert [target["refId"] for target in panel["targets"]] == list("ABCD"[: len(panel["targets"])])
        assert all(target["datasource"] == chosen and target["expr"] for target in panel["targets"])


@pytest.mark.parametrize("name", SHIPPED)
def test_a_link_leads_to_a_runbook_that_is_there(name: str) -> None:
    links = [link for panel in shipped_panels(name) for link in panel.get("links") or []]
    assert links
    for link in links:
        assert link["url"].startswith("${docs}/")
        assert Path(link["url"].replace("${docs}", "docs")).is_file()


def test_a_name_that_is_not_in_the_catalogue_is_refused() -> None:
    with pytest.raises(LookupError, match="atom_made_up_total"):
        _ = Panel(title="x", queries=(Query("sum(atom_made_up_total)"),)).metrics
    with pytest.raises(LookupError, match="atom_decisions"):
        metric_named("atom_decisions")
    assert metric_named("atom_decisions_total") is catalog.DECISIONS


def test_the_same_dashboard_is_the_same_bytes() -> None:
    page: Dashboard = DASHBOARDS[0]
    assert render(page) == render(page)
