"""The ways in which a secret shows up in text that went through ordinary encodings. Pure.

base64: RFC 4648; the three alignments are where the secret can begin within a group of three bytes.
"""

from __future__ import annotations

import base64
import html
import json
import shlex
import urllib.parse

MINIMUM = 6
"""Characters. A shorter secret occurs in ordinary text by chance."""
_LINE_MINIMUM = 8


def forms(secret: str) -> frozenset[bytes]:
    """Every byte string to look for; line ends are left out, because the search looks past them.

    Of a secret with several lines (a PEM key) each line is looked for as well.
    """
    found: set[bytes] = set()
    for text in (secret, *_lines(secret)):
        found |= _texts(text) | _binaries(text.encode())
    squeezed = {form.translate(None, b"\r\n") for form in found}
    return frozenset(form for form in squeezed if len(form) >= MINIMUM)


def _lines(secret: str) -> list[str]:
    lines = [line.strip() for line in secret.splitlines()]
    return [line for line in lines if len(line) >= _LINE_MINIMUM] if len(lines) > 1 else []


def _texts(text: str) -> set[bytes]:
    escaped = json.dumps(text)[1:-1]
    quoted = urllib.parse.quote(text, safe="")
    written = {
        text,
        escaped,
        json.dumps(text, ensure_ascii=False)[1:-1],
        escaped.replace("/", "\\/"),
        json.dumps(escaped)[1:-1],  # JSON inside JSON, as structured logs have it
        repr(text)[1:-1],
        shlex.quote(text)[1:-1] if shlex.quote(text) != text else text,
        html.escape(text),
        quoted,
        urllib.parse.quote(text),
        urllib.parse.quote_plus(text),
        _lower_escapes(quoted),
        _lower_escapes(urllib.parse.quote_plus(text)),
    }
    return {form.encode() for form in written}


def _lower_escapes(quoted: str) -> str:
    parts = quoted.split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _binaries(data: bytes) -> set[bytes]:
    hexed = data.hex()
    every_byte = "".join(f"%{byte:02X}" for byte in data)
    found = {hexed.encode(), hexed.upper().encode(), every_byte.encode(), every_byte.lower().encode()}
    for alignment in range(3):
        found |= _base64(data, alignment)
    return found


def _base64(data: bytes, alignment: int) -> set[bytes]:
    """The characters that the secret alone decides when `alignment` bytes of something else come before it."""
    first = -(-8 * alignment // 6)
    last = 8 * (alignment + len(data)) // 6
    padded = bytes(alignment) + data
    return {base64.b64encode(padded)[first:last], base64.urlsafe_b64encode(padded)[first:last]}
