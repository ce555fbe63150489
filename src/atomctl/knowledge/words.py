"""What a text is searched by: the words PostgreSQL's text search is given, and a question's terms as a query."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+")
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


def any_of(terms: Iterable[str]) -> str:
    """A `tsquery` that any of the terms satisfies; they are lexemes of `searchable` texts.

    A lexeme is quoted, and what is special inside quotes is doubled, so no text is an operator.
    """
    return " | ".join("'{}'".format(term.replace("\\", "\\\\").replace("'", "''")) for term in terms)
