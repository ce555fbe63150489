"""Whatever a page holds, its chunks are bounded, say what it says, and can do nothing to a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import example, given, settings
from hypothesis import strategies as st

from atomctl.knowledge.cleaning import clean
from atomctl.knowledge.fusion import fused
from atomctl.knowledge.markdown import LONGEST, chunks_of
from atomctl.knowledge.words import any_of, searchable

LINES = st.one_of(
    st.sampled_from(
        ["", "# A", "## B", "### B", "```", "~~~", "| a | b |", "|---|---|", "- item", "<!--", "-->", "x" * 1200]
    ),
    st.text(max_size=80),
)
PAGES = st.lists(LINES, max_size=40).map("\n".join)


@settings(max_examples=100)
@given(PAGES)
@example("# T\n" + "| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 400)
def test_chunks_are_bounded_and_have_a_trail(page: str) -> None:
    for chunk in chunks_of(clean(page), "page"):
        assert chunk.text.strip()
        assert len(chunk.text) <= 2 * LONGEST, "a table's head stands above each of its parts"
        assert chunk.trail


@settings(max_examples=100)
@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12), max_size=200))
def test_no_word_of_a_page_is_lost(words: list[str]) -> None:
    text = clean(" ".join(words))
    kept = " ".join(chunk.text for chunk in chunks_of(text, "page"))
    assert kept.split() == text.split()


@settings(max_examples=100)
@given(st.text())
@example("\x1b\x1b[31m[31m\x9b\x9b")
def test_nothing_that_acts_is_left(text: str) -> None:
    left = clean(text)
    assert not any(unicodedata.category(char) in {"Cc", "Cf"} for char in left if char not in "\n\t")
    assert clean(left) == left


@settings(max_examples=100)
@given(st.text())
def test_searchable_words_are_words(text: str) -> None:
    assert all(char.isalnum() or char == " " for char in searchable(text))


@settings(max_examples=100)
@given(st.lists(st.text(min_size=1), max_size=5))
def test_quotes_in_a_query_are_balanced(terms: list[str]) -> None:
    assert any_of(terms).count("'") % 2 == 0


@settings(max_examples=100)
@given(st.lists(st.lists(st.integers(0, 20), unique=True), max_size=4))
def test_fusion_orders_what_was_ranked_and_nothing_else(rankings: list[list[int]]) -> None:
    scores = fused(rankings)
    assert set(scores) == {item for ranking in rankings for item in ranking}
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
