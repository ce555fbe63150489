"""The model of a process: loaded once, asked again when it was missing, and refused when it does not fit."""

from __future__ import annotations

import pytest
from tests.fakes.embedders import WordEmbedder

from atomctl.embedding import codes as embedding_codes
from atomctl.errors import AtomError
from atomctl.knowledge import codes
from atomctl.knowledge.meaning import Meaning, text_of
from atomctl.knowledge.model import DIMENSION, Chunk


def numbers(written: str) -> list[float]:
    return [float(number) for number in written.strip("[]").split(",")]


def test_a_model_is_loaded_when_it_is_first_needed_and_once() -> None:
    loaded = []

    def load() -> WordEmbedder:
        loaded.append(1)
        return WordEmbedder()

    meaning = Meaning(load)
    assert loaded == []
    assert meaning.lacking() is None
    meaning.vectors(["a"])
    assert loaded == [1]


def test_a_model_that_was_missing_is_looked_for_again() -> None:
    there: list[WordEmbedder] = []

    def load() -> WordEmbedder:
        if not there:
            raise AtomError(embedding_codes.MODEL_MISSING, "not installed")
        return there[0]

    meaning = Meaning(load)
    lacking = meaning.lacking()
    assert lacking is not None
    assert lacking.code is embedding_codes.MODEL_MISSING
    there.append(WordEmbedder())
    assert meaning.lacking() is None


def test_a_model_of_another_dimension_does_not_fit() -> None:
    with pytest.raises(AtomError) as caught:
        Meaning(lambda: WordEmbedder(dimension=1536)).embedder()
    assert caught.value.code is codes.WRONG_DIMENSION


def test_the_middle_is_a_direction_between_the_rows() -> None:
    meaning = Meaning(WordEmbedder)
    both = meaning.vectors(["pump", "bearing"])
    first, second, middle = numbers(both.rows[0]), numbers(both.rows[1]), numbers(both.middle)
    assert len(middle) == DIMENSION
    assert sum(value * value for value in middle) == pytest.approx(1, abs=1e-4)
    near = [sum(a * b for a, b in zip(middle, row, strict=True)) for row in (first, second)]
    assert near[0] == pytest.approx(near[1], abs=1e-4)
    assert near[0] > sum(a * b for a, b in zip(first, second, strict=True))


def test_many_texts_are_embedded_in_their_order() -> None:
    texts = [f"text {number}" for number in range(150)]
    meaning = Meaning(WordEmbedder)
    assert meaning.vectors(texts).rows[149] == meaning.vectors(texts[149:]).rows[0]


def test_a_model_is_told_where_a_passage_stands() -> None:
    assert text_of(Chunk(("Pumps", "Quiet it"), "quiet-it", "**Oil** the `bearing`.")) == (
        "Pumps > Quiet it\nOil the bearing ."
    )
