"""Text becomes the numbers that the model was trained on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomctl.embedding.wordpiece import LONGEST, WordPiece, words

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "run", "##s", "##ning", "fail", "##ed", "a", "##a", ".", "[", "]"]
TOKENIZER = WordPiece.of_lines(f"{piece}\n" for piece in [*PIECES, "sep", "数", "据"])
BEGIN, END, UNKNOWN = 2, 3, 1


def inside(text: str) -> list[int]:
    first, *found, last = TOKENIZER.numbers(text)
    assert (first, last) == (BEGIN, END)
    return found


def test_a_word_is_cut_into_the_longest_pieces_there_are() -> None:
    assert inside("The runs failed.") == [4, 5, 6, 8, 9, 12]


def test_a_word_with_an_unknown_piece_is_unknown_as_a_whole() -> None:
    assert inside("runx run") == [UNKNOWN, 5]


def test_a_word_of_more_than_a_hundred_letters_is_unknown() -> None:
    assert inside("a" * 100) == [10, *[11] * 99]
    assert inside("a" * 101) == [UNKNOWN]


def test_a_text_that_names_the_end_does_not_end() -> None:
    assert inside("run [SEP] the") == [5, 13, 15, 14, 4]


def test_a_long_text_is_cut_and_ended() -> None:
    numbers = TOKENIZER.numbers("run " * 5_000)
    assert len(numbers) == LONGEST
    assert numbers[-1] == END


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x07\u200b", "\u0301"])
def test_a_text_without_anything_has_a_beginning_and_an_end(text: str) -> None:
    assert TOKENIZER.numbers(text) == [BEGIN, END]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop--now!", ["don", "'", "t", "stop", "-", "-", "now", "!"]),
        ("Grüße aus KÖLN", ["gruße", "aus", "koln"]),
        ("数据a", ["数", "据", "a"]),
        ("ΟΔΟΣ", ["οδοσ"]),
        ("a\u00a0b\u2028c", ["a", "b", "c"]),
        ("a\x0bb\x1cc", ["abc"]),
        ("é a\x0bb", ["e", "ab"]),
        ("«né»", ["«", "ne", "»"]),
        ("so\u00adft\ufeff", ["soft"]),
        ("10.0.0.5:5432", ["10", ".", "0", ".", "0", ".", "5", ":", "5432"]),
    ],
)
def test_words_are_parted_as_the_models_own_tokenizer_parts_them(text: str, expected: list[str]) -> None:
    assert list(words(text)) == expected


def test_a_huge_text_takes_no_longer_than_its_beginning() -> None:
    assert TOKENIZER.numbers(("x" * 200 + " ") * 50_000) == [BEGIN, *[UNKNOWN] * (LONGEST - 2), END]


@given(st.text(max_size=40), st.text(max_size=40))
def test_what_a_word_becomes_does_not_depend_on_the_words_beside_it(left: str, right: str) -> None:
    """Not even on whether they are ASCII, which is read in another way."""
    assert [*words(left), *words(right)] == list(words(f"{left} {right}"))
    assert list(words(f"{left} é")) == [*words(left), "e"]


@given(st.text(max_size=400))
def test_every_text_has_two_to_256_numbers_of_the_vocabulary(text: str) -> None:
    numbers = TOKENIZER.numbers(text)
    assert 2 <= len(numbers) <= LONGEST
    assert set(numbers[1:-1]) <= {1, *range(4, 17)}
