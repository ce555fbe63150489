"""The page about backups, line by line, as somebody who lost a machine would follow it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.acceptance.test_pages import follow


@pytest.mark.slow
def test_the_page_about_backups_works_as_written(server_folder: Path) -> None:
    folder = server_folder / "page"
    folder.mkdir(mode=0o711)
    printed, work = follow("docs/how-to/backup.md", folder)
    assert "would take: full" in printed
    assert "is whole: 2 sets" in printed
    assert printed.count("came back") == 2
    assert "goes on as epoch 2" in printed
    drill = json.loads((work / "drill.json").read_text())
    assert drill["passed"] is True
    assert drill["rto_seconds"] > 0
