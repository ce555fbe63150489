"""Dashboards as Grafana imports them, by its own library. Pure: the same dashboards are the same bytes.

The library leaves the data source and the letter of a query to its caller; without them Grafana shows nothing.
"""

from __future__ import annotations

import json
from string import ascii_uppercase

from grafana_foundation_sdk.builders import common as options
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders import prometheus, stat, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from tools.dashboards.layout import Place, placed
from tools.dashboards.model import Dashboard, Kind, Panel, Query, Row

from atomctl.telemetry.alerts.model import Alert, Severity

TAG = "atom"
DOCS = "docs"
"""The variable that says where the documentation lies; runbooks are linked below it."""

_SOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
_GOOD, _BAD = "green", {Severity.CRITICAL: "red", Severity.WARNING: "orange", Severity.INFO: "blue"}


def render(dashboard: Dashboard) -> str:
    """The JSON model of a dashboard, for Grafana 10.1 and later."""
    page = (
        build.Dashboard(dashboard.title)
        .uid(f"{TAG}-{dashboard.name}")
        .description(dashboard.description)
        .tags([TAG])
        .time("now-6h", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .link(build.DashboardLink("ATOM").type(model.DashboardLinkType.DASHBOARDS).tags([TAG]).keep_time(True))
        .with_variable(build.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .with_variable(build.TextBoxVariable(DOCS).label("Address of the documentation").default_value(DOCS))
    )
    for number, (item, place) in enumerate(placed(dashboard), 1):
        if isinstance(item, Row):
            page.with_row(build.Row(item.title).id(number).grid_pos(_grid(place)))
        else:
            page.with_panel(_panel(item).id(number).grid_pos(_grid(place)))
    return json.dumps(page.build(), cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"


def _grid(place: Place) -> model.GridPos:
    return model.GridPos(x=place.x, y=place.y, w=place.width, h=place.height)


def _panel(panel: Panel) -> stat.Panel | timeseries.Panel:
    made = (
        _figure() if panel.kind is Kind.FIGURE else _lines(limited=panel.above is not None or panel.below is not None)
    )
    made.title(panel.title).description(panel.description).unit(panel.unit).datasource(_SOURCE)
    made.thresholds(_limits(panel))
    if panel.rule:
        made.links([_runbook(panel.rule)])
    for letter, query in zip(ascii_uppercase, panel.queries, strict=False):
        made.with_target(_target(letter, query, panel.kind))
    return made


def _figure() -> stat.Panel:
    return (
        stat.Panel()
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(common.BigValueColorMode.VALUE)
        .reduce_options(options.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def _lines(*, limited: bool) -> timeseries.Panel:
    """Lines from zero; where there is a limit it is drawn as a line, too: colour alone is not seen by everybody."""
    styles = common.GraphTresholdsStyleMode  # the library's spelling
    style = styles.LINE if limited else styles.OFF
    return (
        timeseries.Panel()
        .min(0)
        .fill_opacity(10)
        .show_points(common.VisibilityMode.NEVER)
        .thresholds_style(options.GraphThresholdsStyleConfig().mode(style))
        .legend(
            options.VizLegendOptions()
            .display_mode(common.LegendDisplayMode.LIST)
            .placement(common.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
    )


def _limits(panel: Panel) -> build.ThresholdsConfig:
    bad = _BAD[panel.rule.severity] if panel.rule else _BAD[Severity.WARNING]
    steps = [model.Threshold(None, bad if panel.below is not None else _GOOD)]
    if panel.below is not None:
        steps.append(model.Threshold(panel.below, _GOOD))
    if panel.above is not None:
        steps.append(model.Threshold(panel.above, bad))
    return build.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)


def _runbook(alert: Alert) -> build.DashboardLink:
    address = f"${{{DOCS}}}/how-to/runbooks/{alert.runbook}.md"
    return build.DashboardLink(f"Runbook of {alert.name}").type(model.DashboardLinkType.LINK).url(address)


def _target(letter: str, query: Query, kind: Kind) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(letter).datasource(_SOURCE).expr(query.expr)
    target.legend_format(query.legend or "__auto")
    return target.instant() if kind is Kind.FIGURE else target.range()
