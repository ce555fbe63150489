"""The page about Prometheus, line by line, against a real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.test_pages import follow
from tests.servers.process import SETPRIV, free_port
from tests.servers.requirement import require
from tools.debian import tool


def test_the_page_about_prometheus_works_as_written(
    instance_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = tool("prometheus")
    require(wanted.root() is not None, "Prometheus", "make tools")
    # What the page leaves in the background if it fails must not outlive it.
    tied = tmp_path / "prometheus"
    tied.write_text(f'#!/bin/sh\nexec {SETPRIV} --pdeathsig KILL -- {wanted.program("prometheus")} "$@"\n')
    tied.chmod(0o755)
    (tmp_path / "promtool").symlink_to(wanted.program("promtool"))
    monkeypatch.setenv("PROMETHEUS_URL", f"http://127.0.0.1:{free_port()}")
    printed, work = follow("docs/how-to/prometheus.md", instance_folder, (tmp_path,))
    assert "is not beyond < 1" in printed
    assert "is beyond > 0" in printed
    assert "observed 1, usual 0" in printed
    assert "closed" in printed
    assert "[noise]" in printed
    assert "kind: PrometheusRule" in (work / "prometheusrule.yaml").read_text()
