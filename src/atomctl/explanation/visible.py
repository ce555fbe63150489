"""Text of others made fit to be shown to a person in a terminal. Pure."""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_]?)")
"""ECMA-48 control sequences, operating system commands and two-character escapes."""


def visible(text: str, longest: int) -> str:
    """At most `longest` characters on one line; what would steer a terminal or turn the text around is left out.

    `...` at the end says that something was cut.
    """
    plain = "".join(
        letter if letter.isprintable() else " " if letter.isspace() else ""
        for letter in _ESCAPES.sub("", text[: 4 * longest])
    ).rstrip()
    return plain if len(plain) <= longest and len(text) <= 4 * longest else plain[: longest - 3] + "..."
