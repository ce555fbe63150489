"""CEL conditions and templates."""

from __future__ import annotations

from typing import Any

import pytest

from atomctl.errors import AtomError
from atomctl.wpk import codes
from atomctl.wpk.expressions import Condition, as_text, check, references, render, template_references

ACTIVATION: dict[str, Any] = {
    "params": {"host": "db1", "count": 3, "factor": 1.5, "force": False, "hosts": ["a", "b"], "none": None},
    "steps": {"find-unhealthy": {"state": "SUCCEEDED", "outputs": {"count": 2}}},
    "run": {"id": "r1"},
    "secrets": {"pin": "hunter2hunter2"},
}


def refusal(text: str) -> AtomError:
    with pytest.raises(AtomError) as error:
        render(text, ACTIVATION)
    return error.value


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${{ params.host }}", "db1"),
        ("${{params.count}}", 3),
        ("  ${{ params.count }}", "  3"),
        ("${{ params.factor }}", 1.5),
        ("${{ params.force }}", False),
        ("${{ params.none }}", None),
        ("${{ params.hosts }}", ["a", "b"]),
        ("${{ params.hosts.map(h, h + '.svc') }}", ["a.svc", "b.svc"]),
        ("${{ {'a': {'b': params.count}} }}", {"a": {"b": 3}}),
        ("https://${{ params.host }}:${{ params.count }}/", "https://db1:3/"),
        ("${{ params.force }}/${{ params.factor }}/${{ params.hosts }}", 'false/1.5/["a","b"]'),
        ("${{ '}}' }}", "}}"),
        ('${{ "a" + \'b\' }}${{ "" }}', "ab"),
        ("$${{ params.host }}", "${{ params.host }}"),
        ("$$${{ params.host }}", "$${{ params.host }}"),
        ("${ params.host } {{ x }} $", "${ params.host } {{ x }} $"),
        ('${{ steps["find-unhealthy"].outputs.count > 1 }}', True),
        ("${{ math.least(int(math.ceil(double(params.count) * params.factor)), 4) }}", 4),
        ("${{ has(params.nope) ? params.nope : 'default' }}", "default"),
    ],
)
def test_a_template_gives_the_value_with_its_type(text: str, result: object) -> None:
    found = render(text, ACTIVATION)
    assert found == result
    assert type(found) is type(result)


def test_templates_are_filled_in_wherever_texts_stand_and_keys_are_left_alone() -> None:
    config = {"${{ params.host }}": [{"x": "${{ params.count }}"}, 1, None, "plain"]}
    assert render(config, ACTIVATION) == {"${{ params.host }}": [{"x": 3}, 1, None, "plain"]}  # type: ignore[arg-type]  # JSON


def test_what_a_value_holds_is_never_a_template_itself() -> None:
    activation = {"params": {"host": "${{ secrets.pin }}"}, "secrets": {"pin": "hunter2hunter2"}}
    assert render("${{ params.host }}", activation) == "${{ secrets.pin }}"


@pytest.mark.parametrize("text", ["${{", "${{ params.host", "${{ }}", "x ${{ '}}' ", "${{ {'a': 1} "])
def test_a_template_that_is_not_closed_is_refused(text: str) -> None:
    assert refusal(text).code is codes.BAD_EXPRESSION


@pytest.mark.parametrize(
    "text",
    [
        "${{ params.nope }}",
        "${{ params.host + 1 }}",
        "${{ params.count / 0 }}",
        "${{ int(params.host) }}",
        "${{ 1.0 / 0.0 }}",
        "${{ timestamp('2026-01-01T00:00:00Z') }}",
        "${{ b'bytes' }}",
        "${{ {1: 2} }}",
        "${{ type(1) }}",
        "x${{ params.none }}",
        "${{ steps.gone.outputs.x }}",
    ],
)
def test_an_expression_without_a_usable_result_is_refused(text: str) -> None:
    assert refusal(text).code is codes.EVALUATION


@pytest.mark.parametrize("value", ["a\0b", ["\0"], {"k": {"\0": 1}}])
def test_a_zero_byte_is_refused_because_the_engine_would_cut_the_text_there(value: Any) -> None:
    for text in ("${{ params.it }}", "${{ size(params) }}"):
        with pytest.raises(AtomError) as error:
            render(text, {"params": {"it": value}})
        assert error.value.code is codes.EVALUATION
    assert render("${{ run.id }}", {"params": {"it": value}, "run": {"id": "r"}}) == "r"


@pytest.mark.parametrize("text", ["${{ int(secrets.pin) }}", "${{ {}[secrets.pin] }}", "${{ timestamp(secrets.pin) }}"])
def test_a_failing_expression_does_not_quote_a_secret(text: str) -> None:
    error = refusal(text)
    assert "hunter2" not in error.why + error.hint


@pytest.mark.parametrize(
    "text",
    [
        "params.count ==",
        "nothing > 1",
        "params.host.upperAscii()",
        "now()",
        "1 + 'a'",
        "(" * 200 + "1" + ")" * 200,
        "params.host" + " " * 4096,
        "${{ params.force }}",
    ],
)
def test_what_is_not_cel_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(AtomError) as error:
        Condition.compile(text)
    assert error.value.code is codes.BAD_EXPRESSION


@pytest.mark.parametrize(
    "text",
    [
        "['x']" + ".map(a, a + a)" * 20,
        "['x']" + ".map(a, a + a + a + a + a + a + a + a)" * 4,
        "[['x']]" + ".map(a, [a, a])" * 20,
        "[1].map(a, " * 12 + "[a, a]" + ")" * 12,
    ],
)
def test_an_expression_that_grows_without_end_is_refused_before_it_runs(text: str) -> None:
    with pytest.raises(AtomError) as error:
        check(text)
    assert error.value.code is codes.BAD_EXPRESSION


def test_an_expression_that_runs_without_end_is_stopped() -> None:
    ten = "[0,1,2,3,4,5,6,7,8,9]"
    loop = f"{ten}.all(a, {ten}.all(b, {ten}.all(c, {ten}.all(d, {ten}.all(e, a + b + c + d + e >= 0)))))"
    with pytest.raises(AtomError, match="budget") as error:
        Condition.compile(loop).evaluate({})
    assert error.value.code is codes.EVALUATION


def test_a_pattern_takes_linear_time() -> None:
    assert not Condition.compile("params.text.matches('^(a+)+$')").evaluate({"params": {"text": "a" * 5000 + "b"}})


def test_a_long_list_is_no_growth() -> None:
    assert Condition.compile(f"params.count in {list(range(800))}").evaluate(ACTIVATION)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("params.force || steps['find-unhealthy'].outputs.count > 0", True),
        ("params.force && params.nope", False),
        ("params.count > 2.5", True),
        ("has(params.nope)", False),
        ("'a' in params.hosts", True),
    ],
)
def test_a_condition_holds_or_does_not(text: str, holds: bool) -> None:
    assert Condition.compile(text).evaluate(ACTIVATION) is holds


@pytest.mark.parametrize("text", ["params.count", "params.host", "params.none", "params.nope"])
def test_a_condition_that_is_neither_true_nor_false_is_refused(text: str) -> None:
    with pytest.raises(AtomError) as error:
        Condition.compile(text).evaluate(ACTIVATION)
    assert error.value.code is codes.EVALUATION


@pytest.mark.parametrize(
    ("text", "reads"),
    [
        ("params.host == 'x'", {"params.host"}),
        ("steps['find-unhealthy'].outputs.count + params . count > 0", {"steps.find-unhealthy", "params.count"}),
        ('steps["a"].outputs.params.x', {"steps.a"}),
        ("params[run.id]", {"params", "run.id"}),
        ("params.exists(k, k == 'x')", {"params.exists"}),
        ("size(params) > 0", {"params"}),
        ("'params.host' == \"steps.a\"", set()),
        ('"""params.a""" + r\'\\\' + params.b', {"params.b"}),
        ("1 // params.host\n + params.count", {"params.count"}),
        ('params["a\\x62"]', {"params"}),
    ],
)
def test_what_an_expression_reads_is_never_said_too_narrowly(text: str, reads: set[str]) -> None:
    assert {str(reference) for reference in references(text)} == reads


def test_only_templates_of_a_text_read_something() -> None:
    found = template_references({"a": ["it's params.x ${{ params.host }} isn't", "$${{ params.no }}"], "b": 1})
    assert {str(reference) for reference in found} == {"params.host"}


def test_numbers_as_text_have_no_needless_point() -> None:
    values: list[Any] = [1, 1.0, 0.5, True, [1.0], {"b": 1, "a": "é"}]
    assert [as_text(value) for value in values] == [
        "1",
        "1",
        "0.5",
        "true",
        "[1]",
        '{"a":"é","b":1}',
    ]
