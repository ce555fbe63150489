"""The published JSON Schemas (2020-12) of what the command line prints with `-o json`, one file per noun.

They are additive: fields are added, never renamed or removed, and a document may hold more than its schema names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_ENDING = "-v1.schema.json"
LIST = "list"
"""The noun of lists of any noun."""


def nouns() -> list[str]:
    """The nouns that have a schema, sorted; `list` is the one of all lists."""
    return sorted(file.name.removesuffix(_ENDING) for file in Path(__file__).parent.glob(f"*{_ENDING}"))


def document(noun: str) -> dict[str, Any]:
    """The schema of `atom.<noun>/v1`."""
    found: dict[str, Any] = json.loads((Path(__file__).parent / f"{noun}{_ENDING}").read_bytes())
    return found


def reference_page() -> str:
    """`docs/reference/json-output.md`: every noun with its fields."""
    return "\n".join([_HEAD, *(_section(noun) for noun in nouns() if noun != LIST)])


def _section(noun: str) -> str:
    schema = document(noun)
    rows = "\n".join(_rows(schema))
    return (
        f"## {noun}\n{schema['title']}: {schema['description']}.\n\n"
        f"| field | type | meaning |\n|---|---|---|\n{rows}\n\n"
        f"[{noun}{_ENDING}](../../src/atomctl/cli/schemas/{noun}{_ENDING})\n"
    )


def _rows(schema: Mapping[str, Any]) -> Iterator[str]:
    for name, field in schema["properties"].items():
        optional = "" if name in schema["required"] else " (optional)"
        yield f"| `{name}` | {_kind(field)}{optional} | {field.get('description', '')} |"


def _kind(field: Mapping[str, Any]) -> str:
    """A field's type in words."""
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_kind(branch) for branch in field["anyOf"])
    if "pattern" in field and "[0-9a-f]{64}" in field["pattern"]:
        return "digest" if field["pattern"].startswith("^sha256:") else "64 hex digits"
    types: list[str] = field["type"] if isinstance(field["type"], list) else [field["type"]]
    words: dict[str, str] = {"string": field.get("format", "string"), "array": _list(field)}
    return " or ".join(words.get(type_, type_) for type_ in types)


def _list(field: Mapping[str, Any]) -> str:
    return f"list of {_kind(field['items'])}" if "items" in field else "list"


_HEAD = """# JSON output
<!-- Written by `make docs`; do not edit. -->

Every command prints JSON with `-o json`, and every document says in `schema` which of the schemas below it follows.
Fields are added, never renamed or removed; ignore what you do not know. A command that prints several documents prints
one `atom.<noun>-list/v1` with `items`, or with `-o jsonl` one document a line. `-o name` prints each document's `name`
alone. What a command refuses is told on standard error, with `-o json` as an `atom.error/v1`.
"""
