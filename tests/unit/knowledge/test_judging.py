"""An answer is given where something near was found, and where nothing the question names is unheard of."""

from __future__ import annotations

from uuid import UUID

import pytest

from atomctl.knowledge.judging import THRESHOLD, WORDS_ALONE, judge
from atomctl.knowledge.model import Found, Passage

PASSAGE = Passage(
    id=UUID(int=1),
    collection="docs",
    path="a.md",
    heading="A",
    anchor="a",
    text="text",
    score=0.03,
    lexical=1.0,
    cosine=0.5,
    coverage=0.5,
)


def found(*, cosine: float | None, coverage: float, unknown: tuple[str, ...] = ()) -> Found:
    return Found((PASSAGE,), unknown, coverage, cosine)


@pytest.mark.parametrize(
    ("cosine", "coverage", "known"),
    [
        (THRESHOLD, 0.0, True),
        (THRESHOLD - 0.01, 0.0, False),
        (0.3, 0.3, True),
        (0.3, 0.1, False),
        (0.0, 1.0, True),
        (None, WORDS_ALONE, True),
        (None, WORDS_ALONE - 0.01, False),
    ],
)
def test_nearness_decides(cosine: float | None, coverage: float, known: bool) -> None:
    judgement = judge(found(cosine=cosine, coverage=coverage))
    assert judgement.known is known
    assert (judgement.confidence >= 0.5) is known
    assert f"{coverage:.0%}" in judgement.why


def test_what_no_page_mentions_is_not_answered_however_near_something_is() -> None:
    judgement = judge(found(cosine=0.9, coverage=0.9, unknown=("YubiKey",)))
    assert not judgement.known
    assert judgement.why == "no page mentions YubiKey"


def test_nothing_found_is_no_answer() -> None:
    assert not judge(Found((), (), 0.0, None)).known


def test_confidence_ends_at_one() -> None:
    assert judge(found(cosine=1.0, coverage=1.0)).confidence == 1.0
