"""Putting back is exact where the step changed something, and touches nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.kubernetes.calls import Object
from atomctl.kubernetes.objects import normal_form
from atomctl.kubernetes.reverting import changed_places, changed_since, patch_back

LEAVES = st.one_of(
    st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans(), st.lists(st.integers(0, 2), max_size=2)
)
SPECS = st.recursive(LEAVES, lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3), max_leaves=8)


@st.composite
def objects(draw: st.DrawFn) -> Object:
    spec: Any = draw(st.dictionaries(st.sampled_from(["replicas", "template", "paused"]), SPECS, max_size=3))
    labels: Any = draw(st.dictionaries(st.sampled_from("xy"), st.sampled_from("12"), max_size=2))
    return {"kind": "Deployment", "metadata": {"name": "web", "labels": labels}, "spec": spec}


def merged(item: Any, patch: Any) -> Any:
    """RFC 7386, as it is written there."""
    if not isinstance(patch, dict):
        return patch
    known = dict(item) if isinstance(item, dict) else {}
    for name, value in patch.items():
        if value is None:
            known.pop(name, None)
        else:
            known[name] = merged(known.get(name), value)
    return known


@settings(max_examples=100, deadline=None)
@given(objects(), objects())
def test_without_a_later_change_the_object_is_as_it_was(before: Object, after: Object) -> None:
    places = changed_places(before, after)
    assert changed_since(after, after, places) == ()
    assert pruned(merged(normal_form(after), patch_back(before, after, places))) == pruned(normal_form(before))


@settings(max_examples=100, deadline=None)
@given(objects(), objects(), objects())
def test_a_later_change_is_either_refused_or_kept(before: Object, after: Object, now: Object) -> None:
    places = changed_places(before, after)
    if changed_since(after, now, places):
        return
    result = merged(normal_form(now), patch_back(before, now, places))
    for place in changed_places(after, now):
        if not any(place[: len(each)] == each or each[: len(place)] == place for each in places):
            assert at(result, place) == at(normal_form(now), place)
    for place in places:
        assert pruned(at(result, place)) == pruned(at(normal_form(before), place))


def at(item: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        item = item.get(name) if isinstance(item, dict) else None
    return item


def pruned(value: Any) -> Any:
    """Without empty mappings: an API server does not tell them from absent ones."""
    if not isinstance(value, dict):
        return value
    return {name: inner for name, item in value.items() if (inner := pruned(item)) != {}}
