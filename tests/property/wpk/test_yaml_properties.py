"""What JSON can hold is read back as it was, whatever form of YAML it was written in."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.errors import AtomError
from atomctl.wpk.manifest import parse_manifest
from atomctl.wpk.source_yaml import Node, read_yaml

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Co", "Cn"]), max_size=20)
numbers = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=25
)


def one(data: str) -> Node:
    [node] = read_yaml(data.encode(), "f.yaml")
    return node


@settings(max_examples=100, deadline=None)
@given(values)
def test_json_means_the_same_as_yaml(value: Any) -> None:
    assert one(json.dumps(value, ensure_ascii=False)).value == value


@settings(max_examples=100, deadline=None)
@given(values, st.booleans())
def test_yaml_in_either_style_means_the_value(value: Any, flow: bool) -> None:
    # Every text quoted: what another writer leaves plain may be a number to Kubernetes.
    written = yaml.dump(value, Dumper=_Quoting, default_flow_style=flow, allow_unicode=True, width=10_000)
    assert one(written).value == value


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(texts, values, min_size=1, max_size=5))
def test_every_value_has_a_position_where_it_can_be_found(value: dict[str, Any]) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    node = one(text)
    lines = text.split("\n")
    for key, inner in value.items():
        at = node.position((key,))
        assert lines[at.line - 1][at.column - 1 :].startswith(json.dumps(key, ensure_ascii=False))
        at = node.value_position((key,))
        assert lines[at.line - 1][at.column - 1 :].startswith(json.dumps(inner, ensure_ascii=False)[:1])


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=300) | st.text("[]{}:,-?&*!|>'\"%@`#\n\t ab1", max_size=300))
def test_no_text_makes_the_reader_fail_in_another_way_than_by_refusing(text: str) -> None:
    refusals: list[AtomError] = []
    try:
        read_yaml(text.encode("utf-8", "surrogatepass"), "f.yaml")
    except AtomError as error:
        refusals.append(error)
    for refusal in refusals:
        assert refusal.code.id.startswith("WPK10")
        assert refusal.why.startswith("f.yaml")


@settings(max_examples=60, deadline=None)
@given(values)
def test_no_document_makes_the_manifest_fail_in_another_way_than_by_refusing(value: Any) -> None:
    document = {
        "apiVersion": "atom/v1",
        "kind": "WorkflowPackage",
        "metadata": {"name": "a", "version": "1.0.0"},
        "spec": {"handlers": [{"name": "a", "type": "shell", "config": value}], "parameters": value},
    }
    with pytest.raises(AtomError) as error:
        parse_manifest(json.dumps(document).encode())
    assert error.value.code.id.startswith("WPK1")


class _Quoting(yaml.SafeDumper):
    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style='"')

    def ignore_aliases(self, data: object) -> bool:
        return True


_Quoting.add_representer(str, _Quoting.represent_str)
