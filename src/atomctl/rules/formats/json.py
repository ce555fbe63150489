"""The report as canonical JSON: the same input gives the same bytes, which can be hashed, signed and compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from atomctl.canonical import canonical_json


def render(document: Mapping[str, Any]) -> bytes:
    """The report's RFC 8785 bytes."""
    return canonical_json(dict(document))
