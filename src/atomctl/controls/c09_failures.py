"""Control 9: a run that fails is counted, alerts, and can be found from the alert."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from atomctl.controls.model import Category, Control, Mapping, Probe, Side
from atomctl.controls.monitoring import Monitoring, until, watched
from atomctl.controls.needs import ALERTMANAGER, API, PROMETHEUS
from atomctl.controls.notebook import Notebook
from atomctl.controls.people import probe_tenants
from atomctl.controls.samples import Company, company, package
from atomctl.controls.site import Site
from atomctl.telemetry import targets
from atomctl.telemetry.alerts import ALERTS

ALERT = "AtomRunFailed"
_FAILING = "{name: fail, type: shell, config: {command: ['false']}}"
_OPENMETRICS = {"accept": "application/openmetrics-text; version=1.0.0"}


@dataclass(frozen=True, slots=True)
class _Stage:
    site: Site
    company: Company
    monitoring: Monitoring


@contextmanager
def _stage(site: Site, book: Notebook) -> Iterator[_Stage]:
    with probe_tenants(site, book) as make, watched(site, book) as monitoring:
        yield _Stage(site, company(make()), monitoring)


def _run(stage: _Stage, name: str, **made: Any) -> dict[str, Any]:
    stage.company.push(package(name, **made)).must()
    run = stage.company.run(name).must()
    stage.company.approve(run).must()
    return stage.company.ended(run["id"])


def _loaded(stage: _Stage, _: Notebook) -> str:
    """Every rule this program ships is loaded, word for word, with the windows that the settings say."""
    scale, loaded = stage.site.settings.alert_scale, stage.monitoring.loaded()
    wrong = [
        alert.name
        for alert in ALERTS
        if alert.name not in loaded or _plain(loaded[alert.name]["query"]) != _plain(alert.expression(scale))
    ]
    return ", ".join(wrong) or "every rule is loaded as it is shipped"


def _plain(expression: str) -> str:
    """PromQL without what Prometheus writes in its own way: spaces, brackets around operands, the order of matchers."""
    bare = re.sub(r"[\s()]", "", expression)
    return re.sub(r"\{(.*?)\}", lambda found: "{" + ",".join(sorted(found[1].split(","))) + "}", bare)


def _good(stage: _Stage, _: Notebook) -> str:
    stage.monitoring.quiet({ALERT})
    ended = _run(stage, "probe-good-canary")
    stage.monitoring.evaluated()
    return f"{ended['state']}, {'an alert' if _alerted(stage) else 'silent'}"


def _alerted(stage: _Stage) -> bool:
    return any(alert["labels"]["alertname"] == ALERT for alert in stage.monitoring.firing())


def _failing(stage: _Stage, _: Notebook) -> str:
    """The alert's receipt, and the exemplar that leads from the metric to the run."""
    stage.monitoring.quiet({ALERT})
    since = datetime.now(UTC)
    ended = _run(stage, "probe-failing-canary", handler=_FAILING)
    said = stage.monitoring.reported(ALERT, since, state=ended["state"].lower())
    until(lambda: _exemplar(stage, ended["id"]), "no metric names the run")
    return f"{ended['state']}, {said}, joined to the run"


def _exemplar(stage: _Stage, run_id: str) -> bool:
    """Whether a process of the deployment shows a failed run and names this one beside the figure."""
    for page in _pages(stage):
        for line in page.splitlines():
            if line.startswith("atom_run_states_total{") and 'state="failed"' in line and f'run="{run_id}"' in line:
                return True
    return False


def _pages(stage: _Stage) -> Iterator[str]:
    """The metrics of the server, and of the workers of this home."""
    for place in (str(stage.site.api_url), *_workers(stage.site.settings.home / targets.FOLDER)):
        answer = httpx.get(f"{place}/metrics", headers=_OPENMETRICS, timeout=10, trust_env=False)
        stage.monitoring.book.note(place, "metrics", b"GET /metrics", answer.content)
        yield answer.text


def _workers(folder: Path) -> Iterator[str]:
    """Where the workers of the home show their metrics, as they tell Prometheus."""
    for file in sorted(folder.glob("worker-*.json")):
        for group in json.loads(file.read_bytes()):
            yield from (f"http://{place}" for place in group["targets"])


_N, _P = Side.NEGATIVE, Side.POSITIVE
CONTROL = Control(
    number=9,
    name="failures",
    title="Failure monitoring",
    promise="A run that fails raises the shipped alert, which is reported and leads to the run; others raise none.",
    category=Category.MONITORING,
    mapping=Mapping(("CC7.2", "CC7.3", "A1.1"), ("A.8.15", "A.8.16"), ("SI-4", "AU-6", "IR-5")),
    needs=(API, PROMETHEUS, ALERTMANAGER),
    stage=_stage,
    probes=(
        Probe("the shipped rules are in force", _P, "every rule is loaded as it is shipped", _loaded),
        Probe("a good canary raises nothing", _P, "SUCCEEDED, silent", _good, seconds=180),
        Probe(
            "a failing canary raises the alert",
            _N,
            "FAILED, firing, reported, joined to the run",
            _failing,
            seconds=240,
        ),
    ),
)
