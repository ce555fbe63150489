"""Which schemas `spec.parameters` may hold: ones that can be evaluated offline, in bounded time, and mean one thing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from atomctl.canonical import Json
from atomctl.errors import AtomError
from atomctl.wpk import codes

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_NODES: Final = 10_000
"""Of the schema with its references written out; a chain of double references grows exponentially."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_REFUSED_KEYWORDS: Final = frozenset(
    {"$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$vocabulary"}
)
"""Each gives a reference a second meaning; none is needed in one small schema."""


def check_parameter_schema(schema: Mapping[str, Json]) -> None:
    """Refuses a schema that parameters cannot be checked with; its defaults must fit it.

    Raises:
        AtomError: WPK120.
    """
    if schema.get("type", "object") != "object":
        raise _refused("`type` must be object")
    if schema.get("$schema", DIALECT) != DIALECT:
        raise _refused(f"`$schema` must be {DIALECT}")
    _check_references(schema)
    properties = schema.get("properties", {})
    if not isinstance(properties, dict):
        raise _refused("`properties` must be a mapping")
    for name in properties:
        if not _NAME.fullmatch(name):
            raise _refused(f"the name `{name[:80]}` must be in lower_snake_case with at most 63 characters")
    compile_schema(schema)
    _check_defaults(schema, properties)


def compile_schema(schema: Mapping[str, Json]) -> Draft202012Validator:
    """The validator of a schema; it never fetches anything.

    Raises:
        AtomError: WPK120 it is not a JSON Schema, or a pattern needs more than linear time.
    """
    import jsonschema_rs

    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema),
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            retriever=_no_retrieval,
        )
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise _refused(str(error).splitlines()[0][:200]) from None


def _no_retrieval(uri: str) -> Json:
    raise ValueError(f"{uri} is not part of the package")


def _check_defaults(schema: Mapping[str, Json], properties: Mapping[str, Json]) -> None:
    for name, declared in properties.items():
        if isinstance(declared, dict) and "default" in declared:
            alone = {key: value for key, value in schema.items() if key == "$defs"} | {"properties": {name: declared}}
            if not compile_schema(alone).is_valid({name: declared["default"]}):
                raise _refused(f"the default of `{name}` does not fit its own schema")


def _check_references(schema: Mapping[str, Json]) -> None:
    sizes: dict[str, int | None] = {}
    if _size(schema, schema, sizes) > MAX_NODES:
        raise _refused(f"with its references written out the schema has more than {MAX_NODES:,} parts")


def _size(value: Json | Mapping[str, Json], root: Mapping[str, Json], sizes: dict[str, int | None]) -> int:
    """How large `value` is with its references written out; `sizes` remembers targets, None while one is open."""
    if isinstance(value, list):
        return 1 + sum(_size(each, root, sizes) for each in value)
    if not isinstance(value, Mapping):
        return 1
    if refused := _REFUSED_KEYWORDS.intersection(value):
        raise _refused(f"the keyword `{min(refused)}` is not read")
    reference = value.get("$ref")
    followed = _target_size(reference, root, sizes) if isinstance(reference, str) else 0
    return 1 + followed + sum(_size(each, root, sizes) for each in value.values())


def _target_size(reference: str, root: Mapping[str, Json], sizes: dict[str, int | None]) -> int:
    if not reference.startswith("#/$defs/"):
        raise _refused(f"the reference `{reference[:80]}` must begin with `#/$defs/`")
    if reference not in sizes:
        sizes[reference] = None
        sizes[reference] = _size(_target(reference, root), root, sizes)
    size = sizes[reference]
    if size is None:
        raise _refused(f"the reference `{reference[:80]}` leads back to itself")
    return size


def _target(reference: str, root: Mapping[str, Json]) -> Json:
    target: Any = root
    for segment in reference.removeprefix("#/").split("/"):
        key = segment.replace("~1", "/").replace("~0", "~")
        if not isinstance(target, dict) or key not in target:
            raise _refused(f"the reference `{reference[:80]}` leads nowhere")
        target = target[key]
    found: Json = target
    return found


def _refused(why: str) -> AtomError:
    return AtomError(codes.BAD_PARAMETER_SCHEMA, f"spec.parameters: {why}")
