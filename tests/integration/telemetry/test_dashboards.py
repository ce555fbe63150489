"""Every panel of every dashboard, asked on a real Prometheus that holds a scripted hour of load.

Grafana itself is not run: what it would send is sent instead, with its two variables filled in.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.telemetry.scripted_hour import EVERY, HOUR, PROCESSES
from tests.servers.prometheus import Prometheus, promtool

SHIPPED = sorted(Path("deploy/grafana").glob("*.json"))
PANELS: list[tuple[str, dict[str, Any]]] = [
    (f"{file.stem}: {panel['title']}", panel)
    for file in SHIPPED
    for panel in json.loads(file.read_text())["panels"]
    if panel["type"] != "row"
]
END = int(time.time()) // EVERY * EVERY - 2 * EVERY
SPACING = 60


def filled(expression: str) -> str:
    """The expression as Grafana sends it when an hour is shown."""
    return expression.replace("$__rate_interval", f"{4 * EVERY}s").replace("$__range", "1h")


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("dashboards")
    lines = [
        subprocess.run(command(process), capture_output=True, text=True, check=True).stdout for process in PROCESSES
    ]
    (folder / "hour.openmetrics").write_text("".join(lines) + "# EOF\n")
    done = promtool("tsdb", "create-blocks-from", "openmetrics", "hour.openmetrics", "data", folder=folder)
    assert done.returncode == 0, done.stderr
    with Prometheus(folder) as server:
        yield server


def command(process: str) -> list[str]:
    return [sys.executable, "-m", "tests.integration.telemetry.scripted_hour", process, str(END)]


@pytest.mark.parametrize("panel", [panel for _, panel in PANELS], ids=[title for title, _ in PANELS])
def test_a_panel_shows_something_after_an_hour_of_load(prometheus: Prometheus, panel: dict[str, Any]) -> None:
    for target in panel["targets"]:
        expression = filled(target["expr"])
        assert "$" not in expression
        now = prometheus.query(expression, at=END)
        assert now, expression
        assert all(math.isfinite(float(sample["value"][1])) for sample in now), expression
        if panel["type"] == "timeseries":
            drawn = prometheus.query_range(expression, END - HOUR, END, SPACING)
            assert max(len(series["values"]) for series in drawn) > HOUR / SPACING / 2, expression


def test_a_share_is_between_none_and_all(prometheus: Prometheus) -> None:
    shares = [panel for _, panel in PANELS if panel["fieldConfig"]["defaults"]["unit"] == "percentunit"]
    assert len(shares) >= 4
    for target in (target for panel in shares for target in panel["targets"]):
        for sample in prometheus.query(filled(target["expr"]), at=END):
            assert 0.0 <= float(sample["value"][1]) <= 1.0, target["expr"]


def test_what_every_worker_shows_is_not_added_up(prometheus: Prometheus) -> None:
    """Two workers show two that are alive; the picture says two and not four."""
    alive = dict(PANELS)["runtime: Workers alive"]
    assert prometheus.query(alive["targets"][0]["expr"], at=END)[0]["value"][1] == "2"


def test_before_the_hour_and_for_a_misspelt_name_there_is_nothing(prometheus: Prometheus) -> None:
    assert prometheus.query("sum(atom_run_states_total)", at=END - HOUR - 600) == []
    assert prometheus.query("sum(atom_run_state_total)", at=END) == []
