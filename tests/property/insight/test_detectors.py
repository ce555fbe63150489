"""Detectors on whatever a history may be: flat, broken, with gaps."""

from __future__ import annotations

import math
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fakes.histories import durations, hourly, outcomes

from atomctl.insight import duration, failure_rate, run_rate

MODEST = settings(max_examples=80, deadline=None)
ODD = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True, width=32), st.just(0.0), st.just(-3.0))


@MODEST
@given(st.floats(0.0, 1e6), st.integers(0, 150))
def test_a_flat_series_of_durations_is_never_a_signal(value: float, length: int) -> None:
    assert duration.detect(durations([value] * length)) is None


@MODEST
@given(st.lists(ODD, max_size=60))
def test_no_duration_there_may_be_breaks_the_detector(values: list[float | None]) -> None:
    found = duration.detect(durations(values))
    if found is not None:
        assert math.isfinite(found.score)
        assert math.isfinite(found.observed)
        assert found.baseline > 0


@MODEST
@given(st.lists(ODD, max_size=20), st.floats(0.5, 2000.0))
def test_durations_that_are_none_change_nothing(odd: list[float | None], unit: float) -> None:
    usual = [unit * (1 + (n % 5) / 50) for n in range(30)]
    none = [value for value in odd if value is None or not math.isfinite(value) or value < 0]
    with_gaps = duration.detect(durations([*usual[:15], *none, *usual[15:], unit * 90]))
    without = duration.detect(durations([*usual, unit * 90]))
    assert with_gaps is not None
    assert without is not None
    assert with_gaps.score == without.score
    assert with_gaps.baseline == without.baseline


@MODEST
@given(st.floats(2.0, 500.0))
def test_the_score_of_a_duration_does_not_depend_on_its_unit(factor: float) -> None:
    usual = [60.0 + n % 7 for n in range(40)]
    small, large = (duration.detect(durations([each * f for each in [*usual, 2_000.0]])) for f in (1.0, factor))
    assert small is not None
    assert large is not None
    assert math.isclose(small.score, large.score, rel_tol=1e-9)


@MODEST
@given(st.text("x.", max_size=120))
def test_every_history_of_outcomes_has_a_finite_verdict(text: str) -> None:
    found = failure_rate.detect(outcomes(text))
    if found is not None:
        assert text.endswith("x")
        assert 3.0 <= found.score < math.inf
        assert 0 < found.baseline < found.observed <= 1
        assert 3 <= len(found.evidence) <= 10


@MODEST
@given(st.integers(0, 200))
def test_a_workflow_that_never_fails_is_never_a_signal(length: int) -> None:
    assert failure_rate.detect(outcomes("." * length)) is None


@MODEST
@given(st.integers(20, 100), st.integers(3, 9))
def test_more_failures_are_never_less_of_a_signal(past: int, failures: int) -> None:
    def score(count: int) -> float:
        found = failure_rate.detect(outcomes("." * (past + 10 - count) + "x" * count))
        return found.score if found else 0.0

    assert score(failures + 1) >= score(failures)


@MODEST
@given(st.lists(st.integers(0, 6), min_size=24, max_size=80))
def test_counts_below_the_least_are_never_a_signal(counts: list[int]) -> None:
    assert run_rate.detect(hourly(counts)) is None


@MODEST
@given(st.integers(0, 30), st.integers(30, 90))
def test_a_steady_count_is_never_a_signal(each_hour: int, hours: int) -> None:
    assert run_rate.detect(hourly([each_hour] * hours)) is None


@MODEST
@given(st.integers(24, 400))
def test_a_silent_past_is_a_rate_of_almost_nothing_and_not_of_zero(gap: int) -> None:
    found = run_rate.detect(hourly([1, *[0] * gap, 40]))
    assert found is not None
    assert 0 < found.baseline < 1
    assert math.isfinite(found.score)


def test_the_same_history_is_the_same_signal() -> None:
    history = outcomes("." * 40 + "xxxxx", every=timedelta(minutes=10))
    assert failure_rate.detect(history) == failure_rate.detect(list(history))
