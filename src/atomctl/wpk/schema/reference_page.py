"""The reference page of manifests, generated from the published JSON Schema.

`python -m atomctl.wpk.schema.reference_page > docs/reference/manifest.md`
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from atomctl.wpk import schema

PAGE = "docs/reference/manifest.md"

_HEAD = """# The manifest `wpk.yaml`

<!-- Written by `python -m atomctl.wpk.schema.reference_page`; do not edit. -->

The JSON Schema (2020-12) of this page is `src/atomctl/wpk/schema/{file}`. Unknown fields are errors that
name the nearest known one; defaults are the safe ones. The file is one YAML document in UTF-8 with LF line ends, at
most 1 MiB; scalars mean what they mean to Kubernetes, duplicate keys are refused.

**Expressions** are CEL and read `params`, `steps["NAME"]` (`state` in lower case, `outputs`) and `run` (`id`,
`workflow`, `version`, `tenant`); `secrets` in the config of `api` and `k8s` handlers; `response` (`status`,
`headers`, `body`) in `success.when`. A handler reads the steps it needs, directly or through others. A **template** is
an expression between `${{{{` and `}}}}`: alone in a field its result keeps its type, within other text it is written as
text, `$${{{{` is a literal `${{{{`. Templates put values into data, never into code: shell handlers take them in `env`
only.

**Parameters** have names in lower_snake_case. Their schema may refer to its own `#/$defs/...` and to nothing else;
patterns are matched in linear time, so they have no look-around and no back-references.

A **package** holds `wpk.yaml`, `README.md`, `LICENSE` and the folders `manifests/`, `scripts/` and `files/`: at most
10,000 regular files, 64 MiB in all, 16 levels deep.
"""


def render() -> str:
    """The page as Markdown: one section per object of the schema, in the order a reader meets them."""
    document = schema.document()
    parts = [_HEAD.format(file=schema.FILE)]
    for title, fields in _sections(document):
        parts += [f"## {title}\n", f"{fields['description']}\n", *_table(fields, document)]
    return "\n".join([*parts, *_forms(document)])


def _sections(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "The document", document
    for name, fields in (document["properties"] | document["$defs"]).items():
        yield from _below(name, fields)


def _below(path: str, fields: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The object at `path` and those written out inside it; what is referred to has a section of its own."""
    if "properties" in fields:
        yield f"`{path}`", fields
        for name, inner in fields["properties"].items():
            yield from _below(f"{path}.{name}", inner)


def _table(fields: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    yield "| field | form | default | meaning |\n|---|---|---|---|"
    required = fields.get("required", ())
    for name, field in fields["properties"].items():
        meaning = field.get("description") or _resolved(field, document).get("description", "")
        default = "required" if name in required else _default(field)
        yield f"| `{name}` | {_form(field, document)} | {default} | {_escaped(meaning)} |"
    yield ""


def _forms(document: Mapping[str, Any]) -> Iterator[str]:
    yield "## Forms of text\n"
    for name, fields in document["$defs"].items():
        if fields.get("type") != "object" and "description" in fields and "allOf" not in fields:
            yield f"- **{name}**: {fields['description']}"
    yield ""


def _resolved(field: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = field.get("$ref")
    found: Mapping[str, Any] = document["$defs"][reference.rsplit("/", 1)[1]] if reference else field
    return found


def _default(field: Mapping[str, Any]) -> str:
    if "default" not in field:
        return ""
    return f"`{json.dumps(field['default'])}`" if field["default"] not in ({}, []) else "empty"


def _form(field: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rsplit("/", 1)[1]
        target = _resolved(field, document)
        return f"[{name}](#{name.lower()})" if "properties" in target else name
    if "enum" in field:
        return _escaped(" | ".join(f"`{option}`" for option in field["enum"]))
    if "const" in field:
        return f"`{field['const']}`"
    if field.get("type") == "array":
        return f"list of {_form(field['items'], document)}"
    if isinstance(values := field.get("additionalProperties"), dict):
        return f"mapping to {_form(values, document)}"
    kind = field.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(render(), end="")  # noqa: T201  # the page goes to stdout, to be redirected
