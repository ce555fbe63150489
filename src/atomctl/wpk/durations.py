"""Durations as manifests write them: `300ms`, `30s`, `5m`, `2h`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

PATTERN: Final = "^(0|[1-9][0-9]{0,5})(ms|s|m|h)$"
_DURATION: Final = re.compile(PATTERN.removesuffix("$"), re.ASCII)
_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
}


def parse_duration(text: str) -> timedelta:
    """`text` as a timedelta.

    Raises:
        ValueError: it is not a whole number of at most six digits with one of the units ms, s, m, h.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a duration such as 300ms, 30s, 5m or 2h: {text[:40]!r}")
    return int(match[1]) * _UNITS[match[2]]
