"""Text as the numbers a BERT model reads: WordPiece over an uncased vocabulary. Pure.

Source: the tokenizer of Google's BERT release ("End-to-end tokenization", uncased), as the `tokenizers` library carries
it out with the model's own settings. Unlike there, `[SEP]` and its like in a text are text: what a run printed must
not be able to end its own sentence.
"""

from __future__ import annotations

import functools
import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

LONGEST = 256
"""Tokens of a text, with one that begins and one that ends it; what follows is not read."""

_BEGIN, _END, _UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_LONGEST_WORD = 100
"""Characters; a longer word is unknown."""
_READ = 100_000
"""Characters of a text that are looked at: its 254 pieces can only lie further behind in words nobody knows."""
_REMEMBERED = 1 << 15
"""Words whose pieces are kept: the same ones come again and again."""

_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])
_PUNCTUATION = re.escape(string.punctuation)
_ASCII_WORDS = re.compile(rf"[^\s{_PUNCTUATION}]+|[{_PUNCTUATION}]")
_IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B920, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """The tokenizer of one vocabulary; may be used by many threads.

    Args:
        vocabulary: the number of each piece; pieces inside a word begin with `##`.
    """

    def __init__(self, vocabulary: Mapping[str, int]) -> None:
        self._vocabulary = vocabulary
        self._begin, self._end, self._unknown = (vocabulary[name] for name in (_BEGIN, _END, _UNKNOWN))
        self._pieces = functools.lru_cache(maxsize=_REMEMBERED)(self._split)

    @classmethod
    def of_lines(cls, lines: Iterable[str]) -> WordPiece:
        """That of a `vocab.txt`: one piece a line, numbered from 0."""
        return cls({line.rstrip("\n"): number for number, line in enumerate(lines)})

    def numbers(self, text: str) -> list[int]:
        """The numbers of the text's pieces between begin and end: 2 to `LONGEST` of them."""
        pieces = (piece for word in words(text[:_READ]) for piece in self._pieces(word))
        return [self._begin, *islice(pieces, LONGEST - 2), self._end]

    def _split(self, word: str) -> tuple[int, ...]:
        """The longest known piece first, again and again; a word with an unknown piece is unknown as a whole."""
        if len(word) > _LONGEST_WORD:
            return (self._unknown,)
        found, start = [], 0
        while start < len(word):
            piece, start = self._longest(word, start)
            if piece is None:
                return (self._unknown,)
            found.append(piece)
        return tuple(found)

    def _longest(self, word: str, start: int) -> tuple[int | None, int]:
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            number = self._vocabulary.get(prefix + word[start:end])
            if number is not None:
                return number, end
        return None, start


def words(text: str) -> Iterator[str]:
    """Lower-case words without accents, and each sign of punctuation as a word of its own."""
    if text.isascii():
        for match in _ASCII_WORDS.finditer(text.translate(_CONTROLS).lower()):
            yield match[0]
        return
    for part in _plain(text).split():
        yield from _between_signs(part)


def _plain(text: str) -> str:
    """Without controls and accents, in lower case letter by letter, ideographs apart."""
    kept = "".join(map(_cleaned, text))
    letters = (letter for letter in unicodedata.normalize("NFD", kept) if unicodedata.category(letter) != "Mn")
    return "".join(letter.lower() for letter in letters)


def _cleaned(letter: str) -> str:
    if letter in "\t\n\r":
        return " "
    if letter in "\0\ufffd" or unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cs"}:
        return ""
    number = ord(letter)
    return f" {letter} " if any(first <= number <= last for first, last in _IDEOGRAPHS) else letter


def _between_signs(part: str) -> Iterator[str]:
    start = 0
    for place, letter in enumerate(part):
        if letter in string.punctuation or unicodedata.category(letter).startswith("P"):
            if start < place:
                yield part[start:place]
            yield letter
            start = place + 1
    if start < len(part):
        yield part[start:]
