"""Parameters of a run, and which schemas may describe them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from atomctl.errors import AtomError
from atomctl.wpk import codes, parameters
from atomctl.wpk.manifest import parse_manifest
from atomctl.wpk.model import Manifest
from atomctl.wpk.parameter_schema import check_parameter_schema

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "host": {"$ref": "#/$defs/host"},
        "count": {"type": "integer", "minimum": 1, "default": 2},
        "options": {"type": "object", "properties": {"deep": {"type": "boolean", "default": True}}},
        "tags": {"type": "array", "items": {"type": "string"}, "default": []},
        "at": {"type": "string", "format": "date-time"},
        "code": {"type": "string", "pattern": "^[A-Z]{3}$"},
    },
    "required": ["host"],
    "$defs": {"host": {"type": "string", "maxLength": 10}},
}


def manifest(schema: dict[str, Any]) -> Manifest:
    document = {
        "apiVersion": "atom/v1",
        "kind": "WorkflowPackage",
        "metadata": {"name": "hello", "version": "1.0.0"},
        "spec": {"parameters": schema, "handlers": [{"name": "a", "type": "shell", "config": {"command": ["x"]}}]},
    }
    return parse_manifest(json.dumps(document).encode())


def refusal(given: dict[str, Any]) -> AtomError:
    with pytest.raises(AtomError) as error:
        parameters.apply(manifest(SCHEMA), given)
    assert error.value.code is codes.BAD_PARAMETER
    return error.value


def test_defaults_complete_what_was_given() -> None:
    given: dict[str, Any] = {"host": "db1", "options": {}}
    assert parameters.apply(manifest(SCHEMA), given) == {
        "host": "db1",
        "count": 2,
        "tags": [],
        "options": {"deep": True},
    }
    assert given == {"host": "db1", "options": {}}


def test_a_default_is_a_copy_each_time() -> None:
    found = manifest(SCHEMA)
    first = parameters.apply(found, {"host": "a"})
    assert isinstance(first["tags"], list)
    first["tags"].append("x")
    assert parameters.apply(found, {"host": "a"})["tags"] == []


def test_a_package_without_parameters_takes_none() -> None:
    assert parameters.apply(manifest({}), {}) == {}
    with pytest.raises(AtomError, match="is not a parameter"):
        parameters.apply(manifest({}), {"host": "a"})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, "lacks `host`"),
        ({"host": "a", "cuont": 1}, "`cuont` is not a parameter of this package; did you mean `count`?"),
        ({"host": 1}, "parameter host: host must be text, not a whole number"),
        ({"host": "a", "count": "1"}, "must be a whole number, not text"),
        ({"host": "a", "count": 0}, "must be at least 1"),
        ({"host": "a", "count": True}, "must be a whole number, not true or false"),
        ({"host": "a" * 11}, "must have at most 10 characters"),
        ({"host": "a", "tags": ["x", 1]}, "parameter tags[1]"),
        ({"host": "a", "at": "yesterday"}, "parameter at"),
        ({"host": "a", "code": "ABCD"}, "parameter code"),
        ({"host": "a", "code": "ABC\n"}, "parameter code"),
        ({"host": None}, "must be text, not nothing"),
        ({"host": "a", "count": 2**60}, "not JSON"),
        ({"host": "a", "count": float("nan")}, "not JSON"),
        ({"host": "a", "tags": ["x" * 70_000]}, "at most 65,536"),
    ],
)
def test_a_parameter_the_schema_does_not_accept_is_refused(given: dict[str, Any], why: str) -> None:
    assert why in refusal(given).why


def test_a_refused_value_is_not_quoted() -> None:
    error = refusal({"host": "hunter2hunter2", "code": "hunter2"})
    assert "hunter2" not in error.why + error.hint
    assert "(and 1 more)" in error.why


def test_deeply_nested_parameters_are_refused() -> None:
    deep: Any = "x"
    for _ in range(100_000):
        deep = [deep]
    assert "levels deep" in refusal({"host": deep}).why


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "array"}, "`type` must be object"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "`$schema` must be"),
        ({"properties": {"Host": {}}}, "lower_snake_case"),
        ({"properties": {"db-host": {}}}, "lower_snake_case"),
        ({"properties": {"a" * 64: {}}}, "lower_snake_case"),
        ({"properties": []}, "`properties` must be a mapping"),
        ({"properties": {"a": {"$ref": "http://127.0.0.1/x"}}}, "must begin with `#/$defs/`"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "must begin with `#/$defs/`"),
        ({"properties": {"a": {"$ref": "#"}}}, "must begin with `#/$defs/`"),
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}}, "leads nowhere"),
        ({"properties": {"a": {"$ref": "#/$defs/b"}}, "$defs": {"b": {"$ref": "#/$defs/b"}}}, "back to itself"),
        ({"properties": {"a": {"$dynamicRef": "#x"}}}, "`$dynamicRef` is not read"),
        ({"$id": "http://example.com/"}, "`$id` is not read"),
        ({"properties": {"a": {"type": "sting"}}}, "sting"),
        ({"properties": {"a": {"minimum": "1"}}}, ""),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, ""),
        ({"properties": {"a": {"pattern": "(a)\\1"}}}, ""),
        ({"properties": {"a": {"pattern": "["}}}, ""),
        ({"properties": {"a": {"type": "integer", "default": "x"}}}, "default of `a`"),
    ],
)
def test_a_schema_that_cannot_be_relied_on_is_refused(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(AtomError) as error:
        check_parameter_schema(schema)
    assert error.value.code is codes.BAD_PARAMETER_SCHEMA
    assert why in error.value.why


def test_a_schema_that_doubles_with_every_reference_is_refused() -> None:
    definitions: dict[str, Any] = {
        f"d{number}": {"allOf": [{"$ref": f"#/$defs/d{number + 1}"}] * 2} for number in range(40)
    } | {"d40": {"type": "string"}}
    with pytest.raises(AtomError, match="more than 10,000 parts"):
        check_parameter_schema({"properties": {"a": {"$ref": "#/$defs/d0"}}, "$defs": definitions})


def test_a_pattern_takes_linear_time() -> None:
    schema = {"properties": {"text": {"type": "string", "pattern": "^(a+)+$"}}}
    with pytest.raises(AtomError) as error:
        parameters.apply(manifest(schema), {"text": "a" * 50_000 + "b"})
    assert error.value.code is codes.BAD_PARAMETER


def test_checking_a_schema_reaches_for_no_network() -> None:
    with pytest.raises(AtomError):
        check_parameter_schema({"properties": {"a": {"allOf": [{"items": {"$ref": "https://example.com/s.json"}}]}}})
