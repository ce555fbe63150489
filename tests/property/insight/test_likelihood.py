"""The tails against exact arithmetic."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atomctl.insight.likelihood import binomial_log_tail, poisson_log_tail


def exact_binomial_tail(successes: int, trials: int, p: Fraction) -> Fraction:
    return sum(
        (Fraction(math.comb(trials, k)) * p**k * (1 - p) ** (trials - k) for k in range(successes, trials + 1)),
        Fraction(0),
    )


def log_of(value: Fraction) -> float:
    """The natural logarithm, also where the fraction is too small for a double."""
    return math.log(value.numerator) - math.log(value.denominator)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.integers(1, 99))
def test_the_binomial_tail_is_exact(counts: tuple[int, int], percent: int) -> None:
    successes, trials = counts
    exact = exact_binomial_tail(successes, trials, Fraction(percent, 100))
    assert binomial_log_tail(successes, trials, percent / 100) == pytest.approx(log_of(exact), rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 80), st.integers(1, 400))
def test_the_poisson_tail_is_exact(count: int, tenths: int) -> None:
    mean = Fraction(tenths, 10)
    term, total = Fraction(1), Fraction(0)
    for k in range(count + 400):
        total += term if k >= count else 0
        term = term * mean / (k + 1)
    exact = log_of(total) - float(mean) if count else 0.0
    assert poisson_log_tail(count, tenths / 10) == pytest.approx(exact, rel=1e-9, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.floats(0.001, 0.999))
def test_more_successes_are_never_more_likely(trials: int, p: float) -> None:
    tails = [binomial_log_tail(k, trials, p) for k in range(trials + 1)]
    assert tails[0] == 0.0
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(tails))


def test_a_tail_far_beyond_the_smallest_double_is_a_number() -> None:
    assert binomial_log_tail(400, 400, 1e-6) == pytest.approx(400 * math.log(1e-6))
    assert poisson_log_tail(5_000, 1.0) == pytest.approx(-1.0 - math.lgamma(5_001), rel=1e-6)


@pytest.mark.parametrize(("successes", "trials", "p"), [(2, 1, 0.5), (-1, 1, 0.5), (0, 1, 1.5), (0, 1, math.nan)])
def test_counts_that_cannot_be_are_refused(successes: int, trials: int, p: float) -> None:
    with pytest.raises(ValueError, match="with probability"):
        binomial_log_tail(successes, trials, p)


@pytest.mark.parametrize(("count", "mean"), [(-1, 1.0), (1, -1.0), (1, math.nan), (1, math.inf)])
def test_means_that_cannot_be_are_refused(count: int, mean: float) -> None:
    with pytest.raises(ValueError, match="events with mean"):
        poisson_log_tail(count, mean)


def test_the_edges_of_probability_are_certain_and_impossible() -> None:
    assert binomial_log_tail(3, 3, 1.0) == 0.0
    assert binomial_log_tail(1, 3, 0.0) == -math.inf
    assert poisson_log_tail(1, 0.0) == -math.inf
