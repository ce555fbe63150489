"""What those see who watch the deployment: metrics and signals."""

from __future__ import annotations

import re

import httpx
import pytest
from tests.acceptance.smoke.crowd import Crowd
from tests.acceptance.smoke.deployment import Deployment, Part
from tests.acceptance.smoke.signing import Signed
from tests.acceptance.smoke.story import Published, Story
from tests.servers.waiting import wait_until

from atomctl.telemetry.catalog import CATALOG

_SIGNAL_SECONDS = 60.0
_SAMPLE = re.compile(r"^(atom_[a-z_]+)(\{.*\})? (\S+)", re.MULTILINE)
_TYPE = re.compile(r"^# TYPE (atom_[a-z_]+) ", re.MULTILINE)
ALWAYS = {metric.name for metric in CATALOG if not metric.stored}
STORED = {"atom_stored_read", "atom_runs_open", "atom_approvals_pending", "atom_workers", "atom_audit_waiting"}


def scraped(url: str) -> str:
    answer = httpx.get(url, timeout=30, trust_env=False, headers={"accept": "application/openmetrics-text"})
    assert answer.status_code == 200, answer.text
    return answer.text


def values(page: str, series: str) -> list[float]:
    return [float(match[3]) for match in _SAMPLE.finditer(page) if (match[1] + (match[2] or "")) == series]


def families(page: str) -> set[str]:
    return set(_TYPE.findall(page))


def test_the_server_shows_the_metrics_of_the_catalogue_and_no_others(
    deployment: Deployment, published: Published
) -> None:
    page = scraped(f"{deployment.base_url}/metrics")
    assert ALWAYS <= families(page) <= {metric.name for metric in CATALOG}
    assert "atom_http_requests_total{" in page
    assert published.name not in page


def test_a_worker_shows_the_metrics_of_the_catalogue_and_no_others(
    deployment: Deployment, published: Published, story: Story
) -> None:
    if deployment.worker_metrics is None:
        pytest.skip("no worker's metrics can be reached (--worker-metrics)")
    page = scraped(deployment.worker_metrics)
    assert ALWAYS | STORED <= families(page) <= {metric.name for metric in CATALOG}
    assert values(page, "atom_stored_read") == [1.0]
    assert values(page, 'atom_workers{state="alive"}')[0] >= 1
    assert published.name not in page


def test_the_unsigned_upload_became_a_signal(crowd: Crowd, signed: Signed) -> None:
    ada = crowd[Part.AUTHOR]
    seen = ("signals", "list", "--state", "any", "--kind", "unsigned_upload", "-o", "json")
    wait_until(lambda: signed.name in ada(*seen).stdout, "the signal is raised", _SIGNAL_SECONDS)
    (signal,) = [item for item in ada.json(*seen[:-2])["items"] if signed.name in item["subject"]]
    assert signal["severity"] == "warning"
    acknowledged = ada.json("signals", "ack", signal["id"], "--close", "--comment", "it was the smoke suite")
    assert acknowledged["state"] == "closed"
