"""The series detector on whatever a series may be: split anywhere, flat, with gaps, hostile."""

from __future__ import annotations

import itertools
import json
import math
import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.insight.series import Judged, Past, SeriesRule, advance
from atomctl.insight.series_count import CountRule, advance_count
from atomctl.insight.series_state import from_document, to_document

MODEST = settings(max_examples=60, deadline=None)
RULE = SeriesRule(window=30, warmup=10, cooldown=5, threshold=4.0, longest_gap=8)
POINTS = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.none(),
    st.floats(-10, 10),
    st.sampled_from([0.0, 1.0, 1e308, -1e308, 5e-324]),
)


def judged(values: Sequence[float | None], rule: SeriesRule = RULE, *, counts: bool = False) -> list[Judged]:
    past, found = Past(), []
    for value in values:
        if counts:
            past, point = advance_count(past, value, CountRule(series=rule))
        else:
            past, point = advance(past, value, rule)
        found.append(point)
    return found


@MODEST
@given(st.lists(POINTS, max_size=120), st.sets(st.integers(0, 119), max_size=10), st.booleans())
def test_a_series_that_is_stopped_and_taken_up_anywhere_has_the_same_scores(
    values: list[float | None], stops: set[int], counts: bool
) -> None:
    past, found = Past(), []
    for number, value in enumerate(values):
        if number in stops:
            written = json.dumps(to_document({"one": past}, "d"), allow_nan=False)
            read = from_document(json.loads(written), "d", RULE)
            assert read is not None
            past = read.get("one", Past())
        if counts:
            past, point = advance_count(past, value, CountRule(series=RULE))
        else:
            past, point = advance(past, value, RULE)
        found.append(point)
    assert found == judged(values, counts=counts)


@MODEST
@given(st.lists(POINTS, max_size=150), st.booleans())
def test_every_score_is_a_number_and_every_past_is_bounded(values: list[float | None], counts: bool) -> None:
    past = Past()
    for value in values:
        if counts:
            past, point = advance_count(past, value, CountRule(series=RULE))
        else:
            past, point = advance(past, value, RULE)
        assert point.score is None or (math.isfinite(point.score) and point.score >= 0)
        assert max(len(past.values), len(past.distances)) <= RULE.window
        assert from_document(to_document({"x": past}, "d"), "d", RULE) is not None


@MODEST
@given(st.floats(-1e12, 1e12), st.integers(0, 120))
def test_a_flat_series_is_never_raised(value: float, length: int) -> None:
    assert not any(point.raised for point in judged([value] * length))


@MODEST
@given(st.lists(POINTS, max_size=200))
def test_after_a_raised_point_none_is_raised_for_the_cooldown(values: list[float | None]) -> None:
    raised = [number for number, point in enumerate(judged(values)) if point.raised]
    assert all(later - earlier > RULE.cooldown for earlier, later in itertools.pairwise(raised))


@MODEST
@given(st.integers(0, 2**32), st.integers(1, RULE.longest_gap))
def test_missing_points_do_not_change_the_scores_of_the_others(seed: int, gap: int) -> None:
    usual = [random.Random(seed + n).gauss(10, 1) for n in range(40)]
    with_gap = judged([*usual[:20], *[math.nan] * gap, *usual[20:]])
    assert [point.score for point in with_gap if point.score is not None] == [
        point.score for point in judged(usual) if point.score is not None
    ]


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e9])
def test_a_leap_is_raised_in_any_unit(unit: float) -> None:
    usual = [unit * (100 + n % 7) for n in range(100)]
    found = judged([*usual, unit * 400], SeriesRule())
    assert [n for n, point in enumerate(found) if point.raised] == [100]
