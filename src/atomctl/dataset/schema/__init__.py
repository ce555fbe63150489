"""The published JSON Schema (2020-12) of a row."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from atomctl.canonical import Digest, Json, digest

_FILE = Path(__file__).with_name("dataset-run-v1.schema.json")


def schema_digest() -> Digest:
    """The digest of the published file."""
    return digest(_FILE.read_bytes())


@cache
def row_validator() -> jsonschema_rs.Draft202012Validator:
    """Accepts a row as it is exported."""
    return jsonschema_rs.Draft202012Validator(_document(), validate_formats=True)


@cache
def unlabelled_validator() -> jsonschema_rs.Draft202012Validator:
    """Accepts a row that has no labels yet."""
    document = copy.deepcopy(_document())
    document["required"].remove("labels")
    del document["properties"]["labels"]
    return jsonschema_rs.Draft202012Validator(document, validate_formats=True)


def fields() -> list[dict[str, Json]]:
    """The columns with their types, as the schema has them."""
    return [{"name": name, "type": _type_of(column)} for name, column in _document()["properties"].items()]


def _type_of(column: dict[str, Any]) -> str:
    kind = column.get("type", "string")
    return kind if isinstance(kind, str) else next(each for each in kind if each != "null")


def _document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_FILE.read_bytes())
    return found
