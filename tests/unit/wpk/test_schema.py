"""The published schema, and that nothing has drifted from it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from atomctl.errors import Code
from atomctl.wpk import codes, durations, model, schema
from atomctl.wpk.schema import reference_page

ROOT = Path(__file__).parents[3]


def objects(value: Any, path: str = "#") -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(value, dict):
        if "properties" in value and "description" in value:
            yield path, value
        for key, inner in value.items():
            yield from objects(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from objects(inner, f"{path}/{index}")


def test_the_schema_is_json_schema_2020_12() -> None:
    jsonschema_rs.meta.validate(schema.document())
    assert schema.document()["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_the_file_is_written_in_one_form() -> None:
    assert schema.text() == json.dumps(schema.document(), indent=2, ensure_ascii=False) + "\n"


def test_every_object_is_closed_and_every_field_described() -> None:
    found = dict(objects(schema.document()))
    assert len(found) > 20
    for path, fields in found.items():
        assert fields.get("additionalProperties") is False, path
        for name, field in fields["properties"].items():
            target = schema.document()["$defs"][field["$ref"].rsplit("/", 1)[1]] if "$ref" in field else field
            assert field.get("description") or target.get("description"), f"{path}/{name}"
            assert set(fields.get("required", ())) <= fields["properties"].keys()


def test_every_definition_is_used() -> None:
    text = schema.text()
    for name in schema.document()["$defs"]:
        assert f'"#/$defs/{name}"' in text


@pytest.mark.parametrize(
    ("path", "type_"),
    [
        (("properties", "metadata"), model.Metadata),
        (("properties", "spec", "properties", "runtime"), model.Runtime),
        (("properties", "spec", "properties", "runtime", "properties", "requirements"), model.Requirements),
        (("properties", "spec", "properties", "safety"), model.Safety),
        (("properties", "spec", "properties", "rollback"), model.Rollback),
        (("properties", "spec", "properties", "validation"), model.Validation),
        (("properties", "spec", "properties", "monitoring"), model.Monitoring),
        (("$defs", "retry"), model.Retry),
        (("$defs", "probe"), model.Probe),
        (("$defs", "alert"), model.Alert),
        (("$defs", "secret"), model.SecretRef),
        (("$defs", "trigger"), model.Trigger),
        (("$defs", "rollbackHandler"), model.Handler),
    ],
)
def test_the_values_have_the_fields_and_defaults_of_the_schema(path: tuple[str, ...], type_: type) -> None:
    fields: Any = schema.document()
    for step in path:
        fields = fields[step]
    declared = {field.name: field for field in dataclasses.fields(type_)}
    assert declared.keys() == fields["properties"].keys()
    for name, property_ in fields["properties"].items():
        field = declared[name]
        default = field.default_factory() if callable(field.default_factory) else field.default
        if "default" in property_ and not dataclasses.is_dataclass(default):
            assert _as_json(default) == property_["default"], name
        if name in fields.get("required", ()):
            assert default is dataclasses.MISSING, name


def _as_json(value: object) -> object:
    if isinstance(value, timedelta):
        return f"{int(value.total_seconds())}s"
    return list(value) if isinstance(value, tuple) else value


def test_the_enums_are_those_of_the_schema() -> None:
    definitions = schema.document()["$defs"]
    spec = schema.document()["properties"]["spec"]["properties"]
    assert definitions["handler"]["properties"]["type"]["enum"] == list(model.HandlerType)
    assert definitions["handler"]["properties"]["idempotency"]["enum"] == list(model.Idempotency)
    assert definitions["trigger"]["properties"]["type"]["enum"] == list(model.TriggerType)
    assert spec["runtime"]["properties"]["type"]["enum"] == list(model.RuntimeType)
    assert spec["safety"]["properties"]["mode"]["enum"] == list(model.Mode)
    assert spec["monitoring"]["properties"]["logging_level"]["enum"] == list(model.LoggingLevel)
    assert schema.document()["properties"]["apiVersion"]["enum"] == list(model.API_VERSIONS)


def test_the_pattern_of_durations_is_the_parsers() -> None:
    assert schema.document()["$defs"]["duration"]["pattern"] == durations.PATTERN
    assert durations.parse_duration("300ms") == timedelta(milliseconds=300)
    assert durations.parse_duration("2h") == timedelta(hours=2)
    for wrong in ("", "5", "5 m", "1.5h", "-1s", "5m\n", "٣s", "1000000s", "05s"):
        with pytest.raises(ValueError, match="not a duration"):
            durations.parse_duration(wrong)


def test_every_config_has_a_schema_of_its_own() -> None:
    for type_ in model.HandlerType:
        assert not schema.validator(f"{type_}Config").is_valid({"nonsense": 1})


def test_the_reference_page_is_the_one_that_is_committed() -> None:
    assert (ROOT / reference_page.PAGE).read_text(encoding="utf-8") == reference_page.render(), (
        f"run `python -m atomctl.wpk.schema.reference_page > {reference_page.PAGE}`"
    )


def test_codes_of_packages_are_distinct_and_in_their_range() -> None:
    found = [value for value in vars(codes).values() if isinstance(value, Code)]
    assert len({code.id for code in found}) == len(found) > 40
    assert all(code.id.startswith("WPK1") for code in found)
