"""What a plain YAML scalar means: the rules Kubernetes reads manifests by.

`kubectl` and the API server turn YAML into JSON with sigs.k8s.io/yaml, whose scalar rules are those of go-yaml 2:
YAML 1.1 booleans (`yes`, `off`, ...), octal with a leading zero, `_` between digits, no base-60 numbers, timestamps
stay text. A validator that reads `privileged: yes` as text would miss it.
"""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final[dict[str, bool | float | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_NUMBER_STARTS: Final = frozenset("0123456789+-.")
_INTEGER: Final = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))", re.ASCII)
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_BASES: Final = (16, 2, 8, 10)
_LONGEST_INTEGER: Final = 70
"""64 binary digits with sign and prefix. Beyond 64 bits a decimal number becomes a float, as in Go."""


def resolve(text: str) -> bool | int | float | str | None:
    """The value of the plain scalar `text`; not-a-number and infinities come back as floats.

    Source: `resolve.go` of go-yaml 2, as vendored by sigs.k8s.io/yaml.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    digits = text if text[0] == "." else text.replace("_", "")
    whole = _integer(digits)
    if whole is not None:
        return whole
    return float(digits) if _FLOAT.fullmatch(digits) else text


def _integer(digits: str) -> int | None:
    if len(digits) > _LONGEST_INTEGER or not (match := _INTEGER.fullmatch(digits)):
        return None
    sign, *groups = match.groups()
    digits, base = next((group, base) for group, base in zip(groups, _BASES, strict=True) if group is not None)
    value = -int(digits, base) if sign == "-" else int(digits, base)
    return value if base != 10 or -(2**63) <= value < 2**64 else None


def key_text(value: object) -> str | None:
    """The JSON key that a mapping key of this value becomes; None where Kubernetes has none or readers disagree."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else None
