"""Fifty questions about ATOM's own documentation, asked as a person does, with the real model on a real PostgreSQL.

They were written before the search was, and it was tuned on others: `tests/acceptance/knowledge/practice.yaml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.integration.knowledge.conftest import Hire

from atomctl.access.model import Role
from atomctl.knowledge.folder import markdown_files, read_file
from atomctl.knowledge.librarian import Librarian
from atomctl.knowledge.model import Answer
from atomctl.knowledge.opening import open_meaning
from atomctl.settings import load_settings

ROOT = Path(__file__).parents[3]
QUESTIONS = ROOT / "tests/acceptance/knowledge/questions.yaml"
CITED, ABSTAINED = 36, 9
"""Of 40 and of 10."""


@dataclass(frozen=True)
class Asked:
    """A question, the pages that answer it (none: it has no answer), and what was answered."""

    question: str
    pages: frozenset[str]
    answer: Answer

    @property
    def cited(self) -> list[str]:
        return [passage.path for passage in self.answer.passages] if self.answer.known else []

    @property
    def right(self) -> bool:
        return not self.pages.isdisjoint(self.cited) if self.pages else not self.answer.known


@pytest.fixture
def reader(hire: Hire) -> Librarian:
    """Knows the documentation."""
    reader = hire(Role.AUTHOR, meaning=open_meaning(load_settings(env={})))
    for path in markdown_files(ROOT / "docs"):
        reader.put("docs", path.as_posix(), read_file(ROOT / "docs", path))
    return reader


def report(answered: Sequence[Asked], unanswered: Sequence[Asked]) -> str:
    first = sum(each.cited[:1] != [] and each.cited[0] in each.pages for each in answered)
    head = (
        f"the right page is cited for {sum(each.right for each in answered)} of {len(answered)} questions, "
        f"as the first for {first}; "
        f"{sum(each.right for each in unanswered)} of {len(unanswered)} without an answer get none"
    )
    wrong = (
        f"  {each.question} {each.cited or each.answer.why}" for each in [*answered, *unanswered] if not each.right
    )
    return "\n".join([head, *wrong])


def test_questions_about_the_documentation_are_answered_with_the_right_page(
    reader: Librarian, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = yaml.safe_load(QUESTIONS.read_text(encoding="utf-8"))
    answered = [
        Asked(each["ask"], frozenset({each["page"], *each.get("also", ())}), reader.ask(each["ask"]))
        for each in questions["answered"]
    ]
    unanswered = [Asked(text, frozenset(), reader.ask(text)) for text in questions["unanswered"]]
    said = report(answered, unanswered)
    with capsys.disabled():
        print(f"\n{said}")
    assert (len(answered), len(unanswered)) == (40, 10)
    assert all(len(each.cited) <= 3 for each in answered)
    assert sum(each.right for each in answered) >= CITED, said
    assert sum(each.right for each in unanswered) >= ABSTAINED, said
