"""The published JSON Schema of manifests, `wpk-v1.schema.json`, and the validators compiled from it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

FILE = "wpk-v1.schema.json"


@cache
def document() -> dict[str, Any]:
    """The schema of a whole manifest; treat it as read-only."""
    found: dict[str, Any] = json.loads(text())
    return found


def text() -> str:
    """The schema file, as it is published."""
    return Path(__file__).with_name(FILE).read_text(encoding="utf-8")


@cache
def validator(definition: str | None = None) -> Draft202012Validator:
    """The validator of a whole manifest, or of one entry of `$defs`; compiled once per process."""
    import jsonschema_rs

    schema = document()
    if definition is not None:
        schema = {"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]}
    return jsonschema_rs.Draft202012Validator(
        schema, validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
    )
