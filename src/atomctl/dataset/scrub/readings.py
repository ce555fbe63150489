"""The other ways to read a text: without percent signs, backslashes or base64, and as lines of JSON.

A secret that was encoded is none of the shapes that are looked for; the text behind the encoding is.
"""

from __future__ import annotations

import html
import json
import re
import urllib.parse
from collections.abc import Iterator

from atomctl.canonical import Json
from atomctl.dataset.scrub.opaque import decoded
from atomctl.rules.secret_scan import names_secret, reads_as_secret

_DEPTH = 3
_AT_MOST = 64
_WORD = re.compile(r"[A-Za-z0-9+/_-]{16,4096}={0,2}")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([\"'\\/bfnrt]))")
_DECODER = json.JSONDecoder()
_PLAIN = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def readings(text: str) -> list[str]:
    """What the text says behind up to three layers of encoding, without the text itself; at most 64 of them."""
    seen = {text: None}
    layer = [text]
    for _ in range(_DEPTH):
        layer = [each for outer in layer for each in _once(outer) if each not in seen]
        seen |= dict.fromkeys(layer)
        if len(seen) > _AT_MOST:
            break
    return list(seen)[1 : _AT_MOST + 1]


def _once(text: str) -> Iterator[str]:
    if "%" in text or "+" in text:
        yield urllib.parse.unquote(text, errors="replace")
        yield urllib.parse.unquote_plus(text, errors="replace")
    if "\\" in text:
        yield _ESCAPE.sub(_unescaped, text)
    if "&" in text:
        yield html.unescape(text)
    for word in _WORD.findall(text):
        inner = decoded(word)
        if inner is not None:
            yield inner


def _unescaped(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _PLAIN.get(match[3], match[3])


def named_values(text: str) -> Iterator[str]:
    """The values of names that stand for secrets in every line that holds a JSON document, whatever comes around it."""
    if "{" not in text and "[" not in text:
        return
    for line in text.splitlines():
        start = min((at for at in (line.find("{"), line.find("[")) if at >= 0), default=-1)
        if start >= 0:
            try:
                yield from named_in(_DECODER.raw_decode(line, start)[0])
            except (ValueError, RecursionError):
                continue


def named_in(value: Json) -> Iterator[str]:
    """The texts in `value` that stand under a name for secrets."""
    if isinstance(value, list):
        for item in value:
            yield from named_in(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            # A value with spaces in it is a sentence in a text; under its own name it is a passphrase.
            if isinstance(item, str) and names_secret(name) and reads_as_secret(name, item.replace(" ", "")):
                yield item
            else:
                yield from named_in(item)
