"""What must not stand in a log line: values under telling names, and texts that look like credentials.

A net, not a wall: callers do not log secrets in the first place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

HIDDEN = "***"
LONGEST = 8_192
"""Characters of one logged text; the rest is cut off and said so."""

_TELLING_NAME = re.compile(
    r"passw|secret|token|authorization|cookie|credential|private|api_?key|dsn|salt", re.IGNORECASE
)
_PATTERNS = (
    (re.compile(r"(://[^/\s:@]*):[^/\s@]+@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?"), HIDDEN),
    (
        re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    (re.compile(r"\b(password|passwd|pwd|secret|token)=\S+", re.IGNORECASE), rf"\1={HIDDEN}"),
)


def redact(name: str, value: object) -> object:
    """`value` as it may be logged under `name`; texts inside lists and mappings are treated too."""
    if _TELLING_NAME.search(name) and value is not None and not isinstance(value, bool):
        return HIDDEN
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, Mapping):
        return {str(key): redact(str(key), item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(name, item) for item in value]
    return value


def redact_text(text: str) -> str:
    """`text` with what looks like a credential hidden, at most `LONGEST` characters long."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} more)"
