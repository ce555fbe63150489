"""Values stay data: nothing in them is ever read as a template, and references are never missed."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.errors import AtomError
from atomctl.wpk.expressions import references, render, template_references
from atomctl.wpk.templates import split

texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
spliced = st.sampled_from(["${{ params.other }}", "$${{", "}}", "${{", "'", '"', "\\"]) | texts
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | spliced,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(values)
def test_a_parameter_arrives_as_it_was_given(value: Any) -> None:
    assert render("${{ params.it }}", {"params": {"it": value, "other": "WRONG"}}) == value


@settings(max_examples=100, deadline=None)
@given(spliced, spliced, spliced)
def test_text_around_a_template_stays_text(before: str, value: str, after: str) -> None:
    before, after = before.replace("$", "").replace("{", ""), after.replace("${{", "")
    rendered = render(before + "${{ params.it }}" + after, {"params": {"it": value}})
    assert rendered == before + value + after


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["a", "host", "b_2"]), min_size=1, max_size=4), texts, st.sampled_from(["'", '"']))
def test_every_reference_is_found_whatever_texts_stand_between(found: list[str], text: str, quote: str) -> None:
    literal = json.dumps(text) if quote == '"' else "'" + json.dumps(text)[1:-1].replace("'", "\\'") + "'"
    expression = f" + {literal} + ".join(f"params.{name}" for name in found)
    assert {reference.name for reference in references(expression)} == set(found)
    inside = {reference.name for reference in template_references(f"x's ${{{{ {expression} }}}} isn't")}
    assert inside == set(found)


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80) | st.text("${}' \"\\ab", max_size=80))
def test_cutting_a_text_loses_nothing_or_is_refused(text: str) -> None:
    try:
        template = split(text)
    except AtomError:
        assert "${{" in text
        return
    if "${{" not in text:
        assert template.parts == (("text", text),)
