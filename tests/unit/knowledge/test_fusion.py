"""What stands high in several orders stands highest in the fused one."""

from __future__ import annotations

import pytest

from atomctl.knowledge.fusion import fused


def test_an_item_of_two_rankings_beats_the_first_of_one() -> None:
    assert list(fused([["a", "b"], ["c", "b"]])) == ["b", "a", "c"]


def test_scores_are_those_of_the_paper() -> None:
    assert fused([["a", "b"], ["b"]])["b"] == pytest.approx(1 / 62 + 1 / 61)


def test_an_order_that_weighs_less_moves_less() -> None:
    assert list(fused([["a"], ["b"]], [0.5, 1.0])) == ["b", "a"]


def test_one_ranking_keeps_its_order_and_none_gives_nothing() -> None:
    assert list(fused([["x", "y", "z"]])) == ["x", "y", "z"]
    assert fused([]) == {}
