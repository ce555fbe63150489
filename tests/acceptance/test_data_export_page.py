"""The page about training data, line by line."""

from __future__ import annotations

from pathlib import Path

from tests.acceptance.test_pages import follow


def test_the_page_about_training_data_works_as_written(instance_folder: Path) -> None:
    printed, work = follow("docs/how-to/data-export.md", instance_folder)
    assert "tidy SUCCEEDED None" in printed
    assert "tidy ROLLED_BACK step_failed" in printed
    assert "verified: training, 2 rows in" in printed
    assert "dataset.export" in printed
    assert (work / "again" / "README.md").read_bytes() == (work / "training" / "README.md").read_bytes()
    assert "verified: training, 1 rows in" in printed, "one was forgotten"
    assert printed.index("\nSTART\nCOMPLETE\nSTART\nCOMPLETE\n") > 0
    assert [path.name for path in (work / "split").glob("split=*")] == ["split=train"]
    assert "current" in printed
    assert "kept " in printed
