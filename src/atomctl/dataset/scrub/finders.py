"""What is looked for in a plain text. Every pattern runs on RE2: time linear in the text, whatever it holds."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from typing import Any

from atomctl.dataset.scrub.opaque import is_opaque
from atomctl.dataset.scrub.readings import readings
from atomctl.dataset.scrub.spans import Kind, Span
from atomctl.rules.secret_scan import scan

_EMAIL = r"[A-Za-z0-9.!#$%&'+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
_IPV4 = r"\b\d{1,3}(?:\.\d{1,3}){3}\b"
_IPV6 = r"[0-9A-Fa-f:]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"
_CARD = r"\b\d(?:[ -]?\d){12,18}\b"
_WORD = r"[A-Za-z0-9+/_-]{16,}={0,2}"
_ENCODED = r"\S*[%\\&]\S*"
_WRAPPED = r"(?:[A-Za-z0-9+/_-]{40,}\r?\n)+[A-Za-z0-9+/_-]+={0,2}"
_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_KEY_BLOCK = (
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)"
)
_KEY_END = r"\A(?s:[^-]*)-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----"


@lru_cache(maxsize=256)
def find(text: str) -> tuple[Span, ...]:
    """Everything in the text that must not be shown, unordered and overlapping.

    A text is looked at twice, before and after the row's secrets are taken out of it, and mostly there are none; short
    ones come again in many rows.
    """
    return tuple(span for finder in _FINDERS for span in finder(text))


def encoded_words(text: str) -> Iterator[Span]:
    """The words behind whose encoding something is found that is not seen in the word itself."""
    for match in _compiled(_ENCODED).finditer(text):
        word = match.group()
        seen = {word[span.start : span.end] for span in find(word)}
        behind = {reading[span.start : span.end] for reading in readings(word) for span in find(reading)}
        if any(all(value not in each for each in seen) for value in behind):
            yield _span(match, Kind.SECRET)


def _secrets(text: str) -> Iterator[Span]:
    for found in scan("", text).found:
        yield Span(found.start, found.end, Kind.SECRET)
    if "PRIVATE KEY" in text:
        for pattern in (_KEY_BLOCK, _KEY_END):
            yield from (_span(match, Kind.SECRET) for match in _compiled(pattern).finditer(text))


def _emails(text: str) -> Iterator[Span]:
    if "@" in text:
        yield from (_span(match, Kind.EMAIL) for match in _compiled(_EMAIL).finditer(text))


def _addresses(text: str) -> Iterator[Span]:
    for pattern, mark in ((_IPV4, "."), (_IPV6, ":")):
        if mark not in text:
            continue
        for match in _compiled(pattern).finditer(text):
            # A sentence ends in a point, a label in a colon; `fe80::` in two that belong to it.
            whole, bare = match.group(), match.group().rstrip(".:")
            address = whole if _is_address(whole) else bare
            if _is_address(address):
                yield Span(match.start(), match.start() + len(address), Kind.IP)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _cards(text: str) -> Iterator[Span]:
    for match in _compiled(_CARD).finditer(text):
        if luhn(match.group()):
            yield _span(match, Kind.CARD)


def luhn(text: str) -> bool:
    """Whether the digits of `text` end in their check digit (ISO/IEC 7812-1, annex B)."""
    digits = [int(char) for char in reversed(text) if char.isdigit()]
    doubled = (2 * digit - 9 * (digit > 4) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _opaque(text: str) -> Iterator[Span]:
    uuids = [match.span() for match in _compiled(_UUID).finditer(text)] if "-" in text else []
    for match in _compiled(_WORD).finditer(text):
        if match.span() not in uuids and is_opaque(match.group()):
            yield _span(match, Kind.OPAQUE)
    # The last line of a wrapped block may be too short to be told by itself.
    if "\n" in text:
        yield from (_span(match, Kind.OPAQUE) for match in _compiled(_WRAPPED).finditer(text))


def _span(match: Any, kind: Kind) -> Span:
    return Span(match.start(), match.end(), kind)


_FINDERS: tuple[Callable[[str], Iterator[Span]], ...] = (_secrets, _emails, _addresses, _cards, _opaque)


@cache
def _compiled(pattern: str) -> Any:
    import re2

    return re2.compile(pattern)
