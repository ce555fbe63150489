"""Making text safe to store and to show: what it says stays, what it could do to a terminal goes."""

from __future__ import annotations

import re
import unicodedata

_ESCAPE = re.compile(
    r"\x1b(?:"
    r"\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, SOS, PM, APC: titles, links, device strings
    r"|[ -/]*[0-~])?"  # two-character and charset sequences
    r"|\x9b[0-?]*[ -/]*[@-~]"
)
"""Control sequences as ECMA-48 has them, in the 7-bit and the 8-bit form."""

_KEPT = "\n\t"


def clean(text: str) -> str:
    """The text without terminal sequences, control and formatting characters; lines end in a line feed.

    Formatting characters (Unicode Cf) include those that reverse the reading order or are invisible, with which a text
    can show something else than it says.
    """
    text = _ESCAPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(char for char in text if char in _KEPT or unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"})
