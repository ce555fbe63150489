"""Tells random-looking words from words people choose.

In a random word upper case, lower case and digits alternate: of neighbouring characters 62 % (letters of both cases and
digits), 47 % (hex) or 40 % (lower case and digits) are of different classes; in names, paths and versions less than 20.
"""

from __future__ import annotations

import base64
import binascii
import itertools

from atomctl.rules.secret_scan import entropy

SHORTEST = 20
_ENCODED_SHORTEST = 16
_CHANGES = 0.3
_ENTROPY = 3.0


def is_opaque(word: str) -> bool:
    """Whether a word of base64's or hex's characters looks random or is an encoded text."""
    return (len(word) >= SHORTEST and _looks_random(word)) or decoded(word) is not None


def decoded(word: str) -> str | None:
    """The printable text that a word of at least 16 characters is the hex or base64 of; None if it is of none.

    Chance alone does not make one: of twelve random bytes all are printable ASCII in one of 150,000 cases.
    """
    if len(word) < _ENCODED_SHORTEST:
        return None
    return _printable(_from_hex(word)) or _printable(_from_base64(word))


def _looks_random(word: str) -> bool:
    classes = [_class(char) for char in word]
    pairs = [(a, b) for a, b in itertools.pairwise(classes) if a and b]
    changes = sum(a != b for a, b in pairs)
    return bool(pairs) and changes / len(pairs) >= _CHANGES and entropy(word) >= _ENTROPY


def _class(char: str) -> str:
    """`d`, `u` or `l`; empty for what separates words."""
    if char.isdigit():
        return "d"
    return ("u" if char.isupper() else "l") if char.isalpha() else ""


def _from_hex(word: str) -> bytes:
    try:
        return binascii.unhexlify(word)
    except binascii.Error:
        return b""


def _from_base64(word: str) -> bytes:
    """What the word stands for in either alphabet; its end may have been cut off, with or without padding."""
    body = word.rstrip("=").replace("-", "+").replace("_", "/")
    body = body[: len(body) - (len(body) % 4 == 1)]
    try:
        return base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except binascii.Error:
        return b""


def _printable(data: bytes) -> str | None:
    text = data.decode("ascii", "replace")
    known = text.isascii() and all(char.isprintable() or char in "\t\r\n" for char in text)
    return text if len(text) >= _ENCODED_SHORTEST // 2 and known else None
