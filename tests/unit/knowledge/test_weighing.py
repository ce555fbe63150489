"""Rare words weigh more, and common ones never make a search long."""

from __future__ import annotations

import pytest

from atomctl.knowledge.model import Statistics
from atomctl.knowledge.weighing import coverage, selective, weights

SHELF = Statistics(chunks=1000, average=80.0, frequencies={"run": 900, "anchor": 12, "epoch": 3, "slack": 0})


def test_the_rarer_a_term_the_more_it_weighs() -> None:
    weighed = weights(SHELF)
    assert weighed["slack"] > weighed["epoch"] > weighed["anchor"] > weighed["run"] > 0


def test_candidates_have_a_rare_term() -> None:
    assert selective(SHELF, depth=500) == ["epoch", "anchor"]
    assert selective(SHELF, depth=5000) == ["epoch", "anchor", "run"]


def test_a_question_of_common_words_is_searched_by_the_rarest_of_them() -> None:
    assert selective(Statistics(1000, 80.0, {"run": 900, "step": 950}), depth=10) == ["run"]


def test_a_question_of_unknown_words_is_not_searched() -> None:
    assert selective(Statistics(1000, 80.0, {"slack": 0}), depth=10) == []


def test_coverage_is_a_share_of_weight() -> None:
    assert coverage({"a": 3.0, "b": 1.0}, ["a", "c"]) == pytest.approx(0.75)
    assert coverage({}, ["a"]) == 0.0
