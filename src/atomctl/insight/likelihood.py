"""How unlikely a count is: exact binomial and Poisson tails, summed in log space. Pure.

Failures are counts of few events with small probabilities, where a z-score is wrong by orders of magnitude; the exact
tail costs one sum. Logarithms keep it from underflowing: a tail of 10^-400 is still -921.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

_NEGLIGIBLE = 45.0
"""Natural logarithms below the largest term at which a term changes no digit of a double."""


def binomial_log_tail(successes: int, trials: int, probability: float) -> float:
    """The natural logarithm of P(X >= successes) for X binomial with `trials` and `probability`.

    Raises:
        ValueError: more successes than trials, a negative count, or a probability outside [0, 1].
    """
    if not 0 <= successes <= trials or not 0.0 <= probability <= 1.0:
        raise ValueError(f"{successes} of {trials} with probability {probability}")
    if successes == 0 or probability == 1.0:
        return 0.0
    if probability == 0.0:
        return -math.inf
    log_p, log_q = math.log(probability), math.log1p(-probability)
    # The terms rise to the mode and fall behind it, so from the first one behind both only a part matters.
    terms = (_log_choose(trials, k) + k * log_p + (trials - k) * log_q for k in range(successes, trials + 1))
    return min(0.0, _log_sum(terms, falling_from=int((trials + 1) * probability) - successes))


def poisson_log_tail(count: int, mean: float) -> float:
    """The natural logarithm of P(X >= count) for X Poisson with `mean`.

    Raises:
        ValueError: a negative count, or a mean that is negative, infinite or no number.
    """
    if count < 0 or not (0.0 <= mean < math.inf):
        raise ValueError(f"{count} events with mean {mean}")
    if count == 0:
        return 0.0
    if mean == 0.0:
        return -math.inf
    log_mean, k_max = math.log(mean), max(count, int(mean)) + 100 + int(10 * math.sqrt(mean))
    terms = (k * log_mean - mean - math.lgamma(k + 1) for k in range(count, k_max + 1))
    return min(0.0, _log_sum(terms, falling_from=int(mean) - count))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _log_sum(terms: Iterable[float], *, falling_from: int) -> float:
    """The logarithm of the sum of e^term; ends once the terms fall, from index `falling_from` on, and do not matter."""
    kept: list[float] = []
    largest = -math.inf
    for index, term in enumerate(terms):
        kept.append(term)
        largest = max(largest, term)
        if index > falling_from and term < largest - _NEGLIGIBLE:
            break
    return largest + math.log(math.fsum(math.exp(term - largest) for term in kept))
