"""The committed reference page is what the rules say of themselves."""

from __future__ import annotations

from pathlib import Path

from atomctl.rules import CATALOG
from atomctl.rules.reference import render

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "rules.md"


def test_the_reference_page_has_not_drifted() -> None:
    assert PAGE.read_text() == render(), "write it again: python -m docs.generate"


def test_every_rule_has_its_entry() -> None:
    text = render()
    for rule in CATALOG:
        assert f"\n### {rule}\n" in text
