"""The page about Airflow, line by line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.acceptance.test_pages import ROOT, follow
from tests.servers.requirement import require
from tools import airflow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


def test_the_page_about_airflow_works_as_written(instance_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require(airflow.is_there(), "Airflow, which the page is about", "make airflow")
    monkeypatch.setenv("SOURCE", str(ROOT))
    only_airflow = instance_folder / "bin"  # its environment has a `python` too, which is not the page's
    only_airflow.mkdir()
    (only_airflow / "airflow").symlink_to(airflow.program())
    printed, work = follow("docs/how-to/airflow.md", instance_folder, (only_airflow,), patience=300)
    assert "verified: training/" in printed
    (day,) = (folder for folder in (work / "training").iterdir() if folder.is_dir())
    assert (day / "manifest.dsse.json").exists()
    shutil.rmtree(work / "airflow")
