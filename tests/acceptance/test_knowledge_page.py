"""The page about knowledge, line by line."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.test_pages import follow


def test_the_page_about_knowledge_works_as_written(instance_folder: Path) -> None:
    printed, _ = follow("docs/how-to/knowledge.md", instance_folder)
    assert "runbooks: 2 pages, 2 changed, 0 removed, 0 not taken" in printed
    assert "runbooks: 1 pages, 0 changed, 1 removed, 0 not taken" in printed
    assert "runbooks/disk.md#what-to-do" in printed
    assert "> Remove what `logrotate` left in `/var/log/shop`" in printed
    assert "I do not know: " in printed
    assert "tidy@1.0.0  ROLLED_BACK" in printed
    assert "the workflow next succeeded in" in printed
    assert "differs: parameter fail: true -> false" in printed
    assert "knowledge.sync" in printed
