"""A run's parameters: what was given, with defaults, accepted by the package's schema. This is what is approved."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from atomctl.canonical import Json, canonical_json
from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.model import Manifest
from atomctl.wpk.parameter_schema import compile_schema
from atomctl.wpk.refusals import dotted, nearest, refusals

MAX_BYTES: Final = 1 << 16
"""Of the parameters as canonical JSON."""
MAX_DEPTH: Final = 32


def apply(manifest: Manifest, given: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters of a run: `given` with the schema's defaults, accepted by the schema. `given` is not changed.

    Raises:
        AtomError: WPK121 an unknown, missing or wrong parameter, or too much of them; the value is not quoted.
    """
    schema = manifest.parameters
    _check_size(given)
    _check_known(given, _properties(schema))
    complete = _with_defaults(schema, given)
    found = refusals(compile_schema(schema).iter_errors(complete), schema)
    if found:
        first = min(found, key=lambda each: [str(step) for step in each.path])
        where = f"parameter {dotted(first.path)}" if first.path else "the parameters"
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise AtomError(codes.BAD_PARAMETER, f"{where}: {first.why}{more}")
    return complete


def _properties(schema: Mapping[str, Json]) -> Mapping[str, Any]:
    properties = schema.get("properties", {})
    return properties if isinstance(properties, dict) else {}


def _with_defaults(schema: Mapping[str, Json], given: Mapping[str, Json]) -> dict[str, Json]:
    """`given` completed from `default` in `properties`, also inside objects that were given."""
    complete = deepcopy(dict(given))
    for name, declared in _properties(schema).items():
        if not isinstance(declared, dict):
            continue
        if name not in complete and "default" in declared:
            complete[name] = deepcopy(declared["default"])
        if isinstance(inner := complete.get(name), dict):
            complete[name] = _with_defaults(declared, inner)
    return complete


def _check_known(given: Mapping[str, Json], known: Mapping[str, Any]) -> None:
    for name in given:
        if name not in known:
            guess = nearest(name, known)
            why = f"`{name[:80]}` is not a parameter of this package" + (f"; did you mean `{guess}`?" if guess else "")
            raise AtomError(codes.BAD_PARAMETER, why)


def _check_size(given: Mapping[str, Json]) -> None:
    if _depth(given) > MAX_DEPTH:
        raise AtomError(codes.BAD_PARAMETER, f"the parameters are nested more than {MAX_DEPTH} levels deep")
    try:
        size = len(canonical_json(dict(given)))
    except ValueError as error:
        raise AtomError(codes.BAD_PARAMETER, f"the parameters are not JSON: {error}") from None
    if size > MAX_BYTES:
        raise AtomError(codes.BAD_PARAMETER, f"the parameters have {size:,} bytes; at most {MAX_BYTES:,} are allowed")


def _depth(value: object) -> int:
    """Levels of nesting, level by level, so that depth costs no recursion; stops counting past the limit."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        inner: list[object] = []
        for each in level:
            inner.extend(each.values() if isinstance(each, Mapping) else each if isinstance(each, list) else ())
        depth, level = depth + 1, inner
    return depth
