"""The page about explanations, line by line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.acceptance.test_pages import follow


def test_the_page_about_explanations_works_as_written(instance_folder: Path) -> None:
    printed, work = follow("docs/how-to/explain.md", instance_folder)
    assert "waits for     the vote of 1 more person who may approve" in printed
    assert "  Step work failed. What had been done was undone." in printed
    assert "  | item 2 failed, because the parameter fail is true" in printed
    assert "  parameter fail  false  ->  true" in printed
    assert "runbook  README.md, When work fails" in printed
    assert "similar failures: past runs are not in the index" in printed
    assert "            nothing has succeeded since" in printed
    assert "parameters fail false -> true" in printed
    found = json.loads((work / "explanation.json").read_text())
    assert found["failing"][0]["problem"]["code"] == "RUN655"
    assert found["since_success"]["comparison"]["unrecorded"] == ["images"]
