"""The page about signals, line by line, with a series that leaps on a real Prometheus."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.acceptance.test_pages import follow
from tests.servers.prometheus import Prometheus


def test_the_page_about_signals_works_as_written(
    instance_folder: Path, prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_URL", prometheus.url)
    printed, _ = follow("docs/how-to/signals.md", instance_folder)
    assert "about     series/latency/" in printed
    assert "detector  series version 1" in printed
    assert "feedback  none yet" in printed
    assert "[useful]" in printed
