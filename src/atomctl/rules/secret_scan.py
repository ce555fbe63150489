"""Finds secrets in a text: one pass for all keywords, then a pattern, entropy and allow-lists at each place found.

What is found is a range of the text. The value itself never leaves this module and the text: reports show a salted
fingerprint.
"""

from __future__ import annotations

import enum
import math
from collections import Counter
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any, NamedTuple

from atomctl.rules.hosts import urls
from atomctl.rules.tokens import (
    NAME_KEYWORDS,
    PRIVATE_KEY_KEYWORD,
    PRIVATE_KEY_PATTERN,
    TOKEN_KINDS,
    TokenKind,
)

_WINDOW = 400
"""Characters from a keyword in which a token must end."""
_NAME_BEFORE = 60
_NAME = "name"
_PRIVATE_KEY = "private key"

_ASSIGNED = (
    r"""(?i)^[\w.-]*?(?:password|passwd|passphrase|_pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key"""
    r"""|encryption_key|signing_key|credentials?|authorization|secret[_-]?key)["']?\s*(?::|=|:=)\s*"""
    r"""(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"'#,;&|<>(){}\[\]]+))"""
)
_PLACEHOLDERS = (
    "example", "changeme", "change-me", "change_me", "placeholder", "redacted", "your", "dummy", "sample", "insert",
    "replace", "todo", "fixme", "notasecret", "not-a-secret", "xxxx", "****", "....", "1234567890",
)  # fmt: skip
_NOT_VALUES = frozenset({"true", "false", "null", "none", "nil", "yes", "no", "~", "string", "required", "optional"})
_REFERENCES = (
    "$",
    "{",
    "<",
    "*",
    "&",
    "!",
    "|",
    ">",
    "/",
    "./",
    "../",
    "%",
    "@",
    "vault:",
    "secret/",
    "file:",
    "env:",
    "ref+",
    "secrets.",
    "params.",
    "steps.",
    "os.",
    "process.env",
    "var.",
    "local.",
    "data.",
)


class SecretKind(enum.Enum):
    """How a secret was recognised."""

    TOKEN = "vendor token"  # noqa: S105  # a kind, not a secret
    PRIVATE_KEY = "private key"
    NAMED = "value of a name"
    URL = "password in a URL"


class FoundSecret(NamedTuple):
    """Where a secret stands in its text."""

    kind: SecretKind
    what: str
    """The kind of token, or the name it is assigned to."""
    start: int
    end: int


class TextFacts(NamedTuple):
    """A text and the secrets in it."""

    label: str
    text: str
    found: tuple[FoundSecret, ...]


@cache
def _automaton() -> Any:
    import ahocorasick  # 1 ms

    automaton = ahocorasick.Automaton()
    for kind in TOKEN_KINDS:
        automaton.add_word(kind.keyword.lower(), kind)
    automaton.add_word(PRIVATE_KEY_KEYWORD.lower(), _PRIVATE_KEY)
    for keyword in NAME_KEYWORDS:
        automaton.add_word(keyword, _NAME)
    automaton.make_automaton()
    return automaton


@cache
def _compiled(pattern: str) -> Any:
    import re2  # 8 ms that a text without a keyword does not pay

    return re2.compile(pattern)


def scan(label: str, text: str) -> TextFacts:
    """The secrets of a text, in its order; each place is reported once, by the surest kind."""
    lower = text.lower()
    if len(lower) != len(text):  # a few letters grow when lowered; offsets must not move
        lower = "".join(char.lower() if char.isascii() else char for char in text)
    found: list[FoundSecret] = []
    names: list[FoundSecret] = []
    for end, what in _automaton().iter(lower):
        if what is _NAME:
            names += _named(text, end)
        elif what is _PRIVATE_KEY:
            found += _private_key(text, end + 1 - len(PRIVATE_KEY_KEYWORD))
        else:
            found += _token(text, end + 1 - len(what.keyword), what)
    if "@" in text and "://" in text:
        found += _in_urls(text)
    found += names
    return TextFacts(label, text, tuple(_without_overlaps(found)))


def _without_overlaps(found: list[FoundSecret]) -> Iterator[FoundSecret]:
    """Surer kinds come first in `found`; a range inside or over an earlier one is dropped."""
    kept: list[FoundSecret] = []
    for one in found:
        if not any(one.start < other.end and other.start < one.end for other in kept):
            kept.append(one)
    yield from sorted(kept, key=lambda one: (one.start, one.end))


def _token(text: str, start: int, kind: TokenKind) -> Iterator[FoundSecret]:
    if not text.startswith(kind.keyword, start) or _continues_word(text, start, kind.keyword):
        return
    window = text[start : start + _WINDOW]
    match = _compiled(kind.pattern).match(window)
    if match is None:
        return
    token = match.group(0)
    variable = token[len(kind.keyword) :]
    if entropy(variable) >= kind.entropy and not is_placeholder(variable):
        yield FoundSecret(SecretKind.TOKEN, kind.name, start, start + len(token))


def _continues_word(text: str, start: int, keyword: str) -> bool:
    """Whether the keyword stands in the middle of a longer word, where no token begins."""
    return start > 0 and keyword[0].isalnum() and keyword != "T3BlbkFJ" and text[start - 1].isalnum()


def _private_key(text: str, start: int) -> Iterator[FoundSecret]:
    match = _compiled(PRIVATE_KEY_PATTERN).match(text[start : start + 2000])
    if match is not None:
        yield FoundSecret(SecretKind.PRIVATE_KEY, _PRIVATE_KEY, start, start + len(match.group(0)))


def _in_urls(text: str) -> Iterator[FoundSecret]:
    for url in urls(text):
        user, colon, password = url.credentials.partition(":")
        if colon and password and not password.startswith(_REFERENCES) and not is_placeholder(password):
            start = url.offset + len(url.scheme) + 3 + len(user) + 1
            yield FoundSecret(SecretKind.URL, f"{url.scheme} URL", start, start + len(password))


def _named(text: str, end: int) -> Iterator[FoundSecret]:
    """A name that ends in a keyword, with a literal value behind `:` or `=`."""
    if not text[end + 1 : end + 6].lstrip("sS\"' \t").startswith((":", "=")):
        return
    start = end
    while start > 0 and end - start < _NAME_BEFORE and (text[start - 1].isalnum() or text[start - 1] in "_.-"):
        start -= 1
    match = _compiled(_ASSIGNED).match(text[start : end + _WINDOW])
    if match is None:
        return
    group = next(number for number in (1, 2, 3) if match.group(number) is not None)
    value = match.group(group)
    if text.rfind("${{", max(0, start - _WINDOW), start) > text.rfind("}}", max(0, start - _WINDOW), start):
        return  # an expression: what is between the braces names values and holds none
    name = text[start : start + len(match.group(0))].partition("=")[0].partition(":")[0].strip("\"' \t-")
    if reads_as_secret(name, value):
        begin = start + match.start(group)
        yield FoundSecret(SecretKind.NAMED, name, begin, begin + len(value))


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret (and not the name or place of one)."""
    lower = name.lower().replace("-", "_")
    if lower.endswith(("_name", "_file", "_path", "_ref", "_id", "_url", "_key_ref", "_length", "_ttl", "_type")):
        return False
    return any(lower.endswith(keyword.replace("-", "_")) for keyword in NAME_KEYWORDS) or lower in ("pwd_db", "pass")


def reads_as_secret(name: str, value: str) -> bool:
    """Whether a value given to such a name is the secret itself: not a reference, a placeholder or a plain word."""
    value = value.strip().removeprefix("Bearer ").removeprefix("Basic ").strip()
    if len(value) < 4 or value.lower() in _NOT_VALUES or value.startswith(_REFERENCES):
        return False
    if "${" in value or "{{" in value or "$(" in value or is_placeholder(value) or value.isspace():
        return False
    if any(word in name.lower() for word in ("password", "passwd", "passphrase", "pwd")):
        return " " not in value
    return _mixed(value) and entropy(value) >= 3.0 and " " not in value


def _mixed(value: str) -> bool:
    """Letters and digits mixed, as random values are and object names seldom are."""
    digits = sum(char.isdigit() for char in value)
    letters = sum(char.isalpha() for char in value)
    return len(value) >= 12 and digits >= 2 and letters >= 2


def is_placeholder(value: str) -> bool:
    """Whether a value says itself that it is none: `changeme`, `<token>`, `xxxx`, one character repeated."""
    lower = value.lower()
    return len(set(value)) <= 2 or any(word in lower for word in _PLACEHOLDERS)


def entropy(value: str) -> float:
    """Shannon entropy in bits per character (Shannon 1948)."""
    if not value:
        return 0.0
    length = len(value)
    return -sum(count / length * math.log2(count / length) for count in Counter(value).values())
