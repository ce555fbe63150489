"""What changed between two runs."""

from __future__ import annotations

from typing import Any

from atomctl.explanation.comparing import MOST, Facts, compare
from atomctl.explanation.model import Aspect, Change


def parameters(**values: Any) -> Facts:
    return Facts(named={Aspect.PARAMETERS: values})


def test_equal_runs_differ_in_nothing() -> None:
    facts = Facts({Aspect.VERSION: "1.0.0"}, {Aspect.PARAMETERS: {"replicas": 2, "tags": ["a", {"b": None}]}})
    found = compare(facts, facts)
    assert found.changes == ()
    assert found.same == (Aspect.VERSION, Aspect.PARAMETERS)
    assert set(found.unrecorded) == set(Aspect) - {Aspect.VERSION, Aspect.PARAMETERS}


def test_a_changed_value_is_shown_with_both_sides() -> None:
    found = compare(Facts({Aspect.VERSION: "1.0.0"}), Facts({Aspect.VERSION: "1.1.0"}))
    assert found.changes == (Change(Aspect.VERSION, None, "1.0.0", "1.1.0"),)
    assert found.same == ()


def test_parameters_are_compared_one_by_one() -> None:
    found = compare(parameters(gone=1, kept="x", changed=2), parameters(kept="x", changed=3, new=[1, 2]))
    assert [(change.name, change.before, change.after) for change in found.changes] == [
        ("changed", "2", "3"),
        ("gone", "1", None),
        ("new", None, "[1,2]"),
    ]


def test_what_python_holds_for_equal_is_not_equal_in_json() -> None:
    assert [change.name for change in compare(parameters(a=1, b=0), parameters(a=True, b=False)).changes] == ["a", "b"]
    assert compare(parameters(a=1), parameters(a=1.0)).changes == ()


def test_what_one_run_does_not_record_is_no_change() -> None:
    found = compare(Facts({Aspect.ISOLATION: "namespaces"}), Facts())
    assert found.changes == ()
    assert Aspect.ISOLATION in found.unrecorded


def test_no_images_at_all_is_recorded_and_differs_from_one() -> None:
    found = compare(Facts(named={Aspect.IMAGES: {}}), Facts(named={Aspect.IMAGES: {"Pod web: app": "app:2"}}))
    assert found.changes == (Change(Aspect.IMAGES, "Pod web: app", None, "app:2"),)


def test_long_values_are_shown_around_their_first_difference() -> None:
    (change,) = compare(
        parameters(a="x" * 500 + "old" + "y" * 500), parameters(a="x" * 500 + "new" + "y" * 500)
    ).changes
    assert change.before is not None
    assert change.after is not None
    assert "old" in change.before
    assert "new" in change.after
    assert max(len(change.before), len(change.after)) <= 90


def test_control_characters_of_a_value_are_escaped_and_those_of_a_name_left_out() -> None:
    (change,) = compare(parameters(**{"a\x1b[2J": "red"}), parameters(**{"a\x1b[2J": "\x1b[31mred\x07"})).changes
    assert (change.name, change.before, change.after) == ("a", "red", '"\\u001b[31mred\\u0007"')


def test_more_changes_than_are_listed_are_counted() -> None:
    many = {f"p{number:03}": number for number in range(MOST + 5)}
    found = compare(parameters(), parameters(**many))
    assert (len(found.changes), found.more) == (MOST, 5)
    assert Aspect.PARAMETERS not in found.same
