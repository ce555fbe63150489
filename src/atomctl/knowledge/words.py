"""What a text is searched by: the words PostgreSQL's text search is given, and a question's terms as a query."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
_SENTENCE = re.compile(r"[.?!:]\s+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def searchable(text: str) -> str:
    """The words of a text, apart: `ATOM_BACKUP_KEEP`, `bundle.json` and `AtomVaultSealed` are found by their parts.

    PostgreSQL's own parser keeps paths, hosts and versions whole. A word of several humps is kept whole as well.
    """
    words = list[str]()
    for word in _WORD.findall(text):
        parts = _HUMP.split(word)
        words += [word, *parts] if len(parts) > 1 else [word]
    return " ".join(words)


def names_in(text: str) -> list[str]:
    """The words that name something: with a capital or a digit in them, where no sentence begins."""
    found = list[str]()
    for sentence in _SENTENCE.split(text):
        for place, word in enumerate(_WORD.findall(sentence)):
            telling = word[1:] if place == 0 else word
            if any(char.isupper() or char.isdigit() for char in telling):
                found.append(word)
    return found


def any_of(terms: Iterable[str]) -> str:
    """A `tsquery` that any of the terms satisfies; they are lexemes of `searchable` texts.

    A lexeme is quoted, and what is special inside quotes is doubled, so no text is an operator.
    """
    return " | ".join("'{}'".format(term.replace("\\", "\\\\").replace("'", "''")) for term in terms)
